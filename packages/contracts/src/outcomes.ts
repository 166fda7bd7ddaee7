import { z } from 'zod'

/** How a capture can end. Every accepted capture ends as exactly one of these: accepted = in flight + their sum. */
export const OUTCOMES = [
  'indexed',
  'unchanged',
  'stale',
  'not-modified',
  'duplicate-run',
  'regressed',
  'refused',
  'failed',
  'dismissed',
] as const

export const Outcome = z.enum(OUTCOMES)
export type Outcome = z.infer<typeof Outcome>
