import { AnyEnvelope, type CaptureId, Envelope } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'

export interface ReadEnvelope {
  /** The envelope; where it can't be read, one that names its capture and address only. */
  envelope: Envelope
  /** Why it can't be read: its capture fails with this. */
  unreadable?: PermanentError
}

/** Reads an envelope as the registry keeps it. One that another version of Copydesk wrote must not keep its neighbours from theirs: so nothing is thrown. */
export function readEnvelope(text: string | undefined, captureId: CaptureId): ReadEnvelope {
  const raw = parseJson(text)
  const parsed = Envelope.safeParse(raw)
  if (parsed.success) return { envelope: parsed.data }
  const { v, url } = AnyEnvelope.safeParse(raw).data ?? { v: undefined, url: null }
  const why = v === 1 ? 'not what its schema says' : `of version ${JSON.stringify(v) ?? 'none'}, and this Copydesk reads version 1`
  const unreadable = new PermanentError('schema', `the job's envelope is ${why}: update all services to one version, then retry it`, {
    cause: parsed.error,
  })
  return { envelope: { v: 1, captureId, rev: 0, url, ref: null }, unreadable }
}

/** The segment that an envelope of any version refers to. */
export function segmentOf(text: string): string | undefined {
  return AnyEnvelope.safeParse(parseJson(text)).data?.ref?.segment
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
