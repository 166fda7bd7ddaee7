import type { FaultCode } from '@copydesk/contracts'

export interface RetryPolicy {
  /** How often a stage is tried before its capture becomes a dead letter. */
  attempts: number
  /** The first back-off, in milliseconds; it doubles with each attempt. */
  baseMs: number
  /** The longest back-off, in milliseconds. */
  maxMs: number
}

/** Other people's servers get time to recover; our own faults are tried again soon. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 5000, maxMs: 5 * 60_000 }
const SOON: readonly FaultCode[] = ['parser-died', 'parser-timeout', 'internal', 'deadline']

/** Milliseconds to wait after the given attempt (1 for the first): exponential, half of it random, so that what failed together does not come back together. */
export function retryDelay(policy: RetryPolicy, code: FaultCode, attempt: number, random: () => number = Math.random): number {
  const base = SOON.includes(code) ? policy.baseMs / 5 : policy.baseMs
  const full = Math.min(policy.maxMs, base * 2 ** (attempt - 1))
  return Math.round(full * (0.5 + random()))
}
