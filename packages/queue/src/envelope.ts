import { Envelope } from '@copydesk/contracts'

/** Reads an envelope as the registry or a job keeps it. Throws where it is none: then another version of Copydesk wrote it. */
export function readEnvelope(text: unknown): Envelope {
  return Envelope.parse(typeof text === 'string' ? JSON.parse(text) : text)
}
