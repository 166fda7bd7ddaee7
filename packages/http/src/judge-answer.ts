import { RateLimitedError, PermanentError, RetryableError } from '@copydesk/pipeline'
import { contentEncoding, contentLength, type Head, header, location } from './head.ts'
import type { Limits } from './limits.ts'
import type { Refusal, Resume } from './ports.ts'
import { retryAfter } from './retry-after.ts'

export type Judgement = { kind: 'redirect'; to: string } | ({ kind: 'refused' } & Refusal) | { kind: 'read' }

const WAIT_WITHOUT_RETRY_AFTER = 30_000

/** What to do with an answer, from its head alone: follow it, refuse it, or read its body. Throws where the other side failed or asks to wait. */
export function judgeAnswer(head: Head, at: Resume, limits: Limits, now: number): Judgement {
  const { host } = new URL(at.url)
  throwIfFailed(head, at, host, now)
  if (head.headers.length > limits.headers) {
    throw new PermanentError('bad-response', `${host} answered with ${head.headers.length} headers; at most ${limits.headers} are read`)
  }
  const to = [301, 302, 303, 307, 308].includes(head.status) ? location(head) : null
  if (to !== null) return { kind: 'redirect', to }
  if (head.status < 200 || head.status > 299) return { kind: 'refused', ...refusedStatus(head.status, host) }
  return bodyRefusal(head, host, limits)
}

function throwIfFailed(head: Head, at: Resume, host: string, now: number): void {
  const { status } = head
  if (status === 429 || status === 503) {
    const wait = retryAfter(header(head, 'retry-after'), now) ?? (status === 429 ? WAIT_WITHOUT_RETRY_AFTER : null)
    if (wait !== null) {
      throw new RateLimitedError('rate-limited', wait, `${host} asks to wait ${Math.round(wait / 1000)} s (status ${status})`, {
        resume: at,
      })
    }
  }
  if (status >= 500) throw new RetryableError('server-error', `${host} answered with status ${status}`)
  if (status === 408) throw new RetryableError('timeout', `${host} gave up waiting (status 408)`)
  if (status === 425) throw new RetryableError('server-error', `${host} asks to try again (status 425)`)
}

function refusedStatus(status: number, host: string): Refusal {
  const evidence = `${host} answered with status ${status}`
  if (status === 404 || status === 410) return { code: 'gone', evidence }
  if (status === 401 || status === 403 || status === 451) return { code: 'forbidden', evidence }
  return { code: 'http-status', evidence }
}

function bodyRefusal(head: Head, host: string, limits: Limits): Judgement {
  const encodings = contentEncoding(head)
  if (encodings.length > limits.encodings) {
    throw new PermanentError('bad-response', `${host} encoded its answer ${encodings.length} times; at most ${limits.encodings} are undone`)
  }
  const type = (header(head, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (/^(?:video|audio|image)\/|^application\/(?:pdf|zip|x-zip-compressed)$/.test(type)) {
    return { kind: 'refused', code: 'unsupported-type', evidence: `${host} answered with ${type.slice(0, 100)}, which is no text` }
  }
  const length = contentLength(head)
  if (length !== null && length > limits.bodyBytes) return { kind: 'refused', ...tooLarge(host, limits) }
  return { kind: 'read' }
}

/** The refusal of a body that is longer than the limit. */
export function tooLarge(host: string, limits: Limits): Refusal {
  return { code: 'too-large', evidence: `${host} answered with more than the ${limits.bodyBytes} bytes that are read of a page` }
}
