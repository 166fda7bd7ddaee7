import type { FaultCode } from '@copydesk/contracts'

/** Try again later: the runner puts the job back with a growing delay, and fails it after the last attempt. An unknown throw counts as one, with code `internal`. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Trying again can't help: the runner ends the capture as `failed`, a dead letter. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Not now: the runner puts the job back for `ms` milliseconds without spending an attempt. `resume` is what the stage goes on from. */
export class RateLimitedError extends Error {
  override readonly name = 'RateLimitedError'
  readonly code: FaultCode
  readonly ms: number
  readonly resume: unknown
  constructor(code: FaultCode, ms: number, message: string, options?: ErrorOptions & { resume?: unknown }) {
    super(message, options)
    this.code = code
    this.ms = ms
    this.resume = options?.resume
  }
}
