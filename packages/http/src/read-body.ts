import type { Readable } from 'node:stream'
import { RetryableError } from '@copydesk/pipeline'
import { isBrokenOff, withoutBytes } from './fault.ts'

export interface BodyOptions {
  /** Of the host, for messages. */
  host: string
  /** The length that the head promised, or null. */
  expected: number | null
  /** Whether the bytes are the page itself, not encoded. */
  plain: boolean
  limit: number
}

/** The body's bytes as they came; null when they pass the limit. A body that was broken off is kept when nearly all of it came, else RetryableError. */
export async function readBody(body: Readable, options: BodyOptions): Promise<{ bytes: Buffer; cut: boolean } | null> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > options.limit) return null
      chunks.push(chunk)
    }
  } catch (error) {
    if (!isBrokenOff(error)) throw error
    const bytes = Buffer.concat(chunks)
    if (isWorthKeeping(bytes, options)) return { bytes, cut: true }
    const promised = options.expected === null ? '' : ` of ${options.expected}`
    throw new RetryableError('cut-short', `${options.host} broke off after ${length}${promised} bytes`, { cause: withoutBytes(error) })
  }
  return { bytes: Buffer.concat(chunks), cut: false }
}

/** More than nine tenths of it, or, where no length was promised, up to the end of the page. */
function isWorthKeeping(bytes: Buffer, { expected, plain }: BodyOptions): boolean {
  if (expected !== null) return bytes.length > 0.9 * expected
  return plain && /<\/html\s*>/i.test(bytes.subarray(-1024).toString('latin1'))
}

/** Lets go of an answer whose body nobody needs: a short one is read to its end, so that the connection can be used again. */
export function discard(body: Readable & { dump(options: { limit: number }): Promise<void> }): void {
  body.on('error', () => {})
  body.dump({ limit: 16 * 1024 }).catch(() => {})
}
