import { DEATH_CODES, type FaultCode } from '@copydesk/contracts'
import { PermanentError, RateLimitedError, RetryableError } from '@copydesk/pipeline'

/** What is to be done about something thrown. The one place where errors become moves. */
export type Fault =
  | { kind: 'retry'; code: FaultCode; reason: string }
  | { kind: 'death'; code: FaultCode; reason: string }
  | { kind: 'fail'; code: FaultCode; reason: string }
  | { kind: 'wait'; code: FaultCode; reason: string; ms: number; resume: unknown }

/** How long a job waits for an archive that can't be written: the page is not at fault, so no attempt is spent. */
const ARCHIVE_WAIT_MS = 5000

/** Maps what a stage, or the keeping of its output, threw. An unknown throw is worth another try. */
export function faultOf(error: unknown): Fault {
  if (error instanceof RateLimitedError)
    return { kind: 'wait', code: error.code, reason: causes(error), ms: error.ms, resume: error.resume }
  if (error instanceof PermanentError) return { kind: 'fail', code: error.code, reason: causes(error) }
  if (error instanceof RetryableError) {
    if (error.code === 'archive-unavailable')
      return { kind: 'wait', code: error.code, reason: causes(error), ms: ARCHIVE_WAIT_MS, resume: undefined }
    return { kind: DEATH_CODES.includes(error.code) ? 'death' : 'retry', code: error.code, reason: causes(error) }
  }
  return { kind: 'retry', code: 'internal', reason: causes(error) }
}

/** The messages of an error and of what caused it, outermost first. */
function causes(error: unknown): string {
  const messages: string[] = []
  for (let each = error; each !== undefined && messages.length < 5; each = each instanceof Error ? each.cause : undefined)
    messages.push(each instanceof Error ? each.message : JSON.stringify(each))
  return messages.join(': ')
}
