import type { Problem } from '@copydesk/contracts'
import { EpochError, IntakeClosedError, IntakeFullError, isRedisAway, NotDeadError, TaskBusyError, UndecidedError } from '@copydesk/queue'

/** An answer that is a problem (RFC 9457); thrown by handlers, sent by the one error handler. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  /** Members beside the problem's own, such as `results`. */
  readonly extra: object
  /** Seconds after which to ask again. */
  readonly retryAfter: number | undefined
  constructor(problem: Problem, options: { extra?: object; retryAfter?: number; cause?: unknown } = {}) {
    super(problem.detail, { cause: options.cause })
    this.problem = problem
    this.extra = options.extra ?? {}
    this.retryAfter = options.retryAfter
  }
}

const TITLES: Record<number, string> = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Not in this state',
  413: 'Too large',
  415: 'Unsupported type',
  422: 'Not acceptable as work',
  429: 'Too much at once',
  500: 'Internal error',
  503: 'Not available now',
}

/** A problem with a code (also its type), a sentence that names cause and cure, and the field at fault. */
export function problem(status: number, code: string, detail: string, pointer?: string): Problem {
  return {
    type: `urn:copydesk:problem:${code}`,
    title: TITLES[status] ?? 'Problem',
    status,
    detail,
    code,
    ...(pointer !== undefined && { pointer }),
  }
}

/** Turns whatever a handler threw into a problem. Null for what is unexpected: then it is our fault, and is logged. */
export function problemOf(error: unknown): ProblemError | null {
  if (error instanceof ProblemError) return error
  if (error instanceof IntakeClosedError)
    return new ProblemError(problem(503, 'intake-closed', error.message), { retryAfter: 5, cause: error })
  if (error instanceof IntakeFullError)
    return new ProblemError(problem(error.status, FULL[error.limit], error.message), { retryAfter: error.retryAfter, cause: error })
  if (error instanceof NotDeadError) return new ProblemError(problem(409, 'no-dead-letter', error.message), { cause: error })
  if (error instanceof TaskBusyError) return new ProblemError(problem(409, 'task-busy', error.message), { cause: error })
  if (error instanceof EpochError) return new ProblemError(problem(503, 'epoch-lost', error.message), { cause: error })
  if (error instanceof UndecidedError) return undecidedProblem(error)
  if (isRedisAway(error)) return new ProblemError(problem(503, 'redis-unavailable', REDIS_AWAY), { retryAfter: 5, cause: error })
  return null
}

const REDIS_AWAY = 'Redis does not answer; what was taken in goes on when it does. Ask again then.'
const FULL = { queue: 'queue-full', 'redis-memory': 'redis-full', disk: 'disk-full' } as const

/** The answer to work that may be accepted yet. */
export function undecidedProblem(error: UndecidedError): ProblemError {
  const extra = { undecided: true, captureIds: error.captureIds }
  return new ProblemError(problem(503, 'undecided', error.message), { extra, retryAfter: 30, cause: error })
}
