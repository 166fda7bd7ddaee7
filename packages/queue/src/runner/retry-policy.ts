import type { FaultCode } from '@copydesk/contracts'

export interface RetryPolicy {
  /** How often a stage is tried before its capture becomes a dead letter. */
  attempts: number
  /** The first back-off, in milliseconds; it doubles with each attempt. */
  baseMs: number
  /** The longest back-off, in milliseconds. */
  maxMs: number
  /** How long a site may put a page off by rate limits before its capture becomes a dead letter, in milliseconds. */
  limitedMs?: number
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 5000, maxMs: 5 * 60_000, limitedMs: 30 * 24 * 3_600_000 }

/** Our own faults: other people's servers get more time to recover. */
const SOON: readonly FaultCode[] = ['parser-died', 'parser-timeout', 'internal', 'deadline']

/** Milliseconds to wait after the given attempt (1 for the first): exponential, from half to one and a half of it by chance, so that what failed together does not come back together. */
export function retryDelay(policy: RetryPolicy, code: FaultCode, attempt: number, random: () => number = Math.random): number {
  const base = SOON.includes(code) ? policy.baseMs / 5 : policy.baseMs
  return Math.round(Math.min(policy.maxMs, base * 2 ** (attempt - 1) * (0.5 + random())))
}
