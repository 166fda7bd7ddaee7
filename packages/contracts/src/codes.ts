import { z } from 'zod'

/** Why a capture was refused: the page, not a fault, ended it. Added to, never renamed: they are metric labels. */
export const REFUSAL_CODES = [
  'not-article',
  'empty',
  'consent',
  'challenge',
  'login',
  'soft-404',
  'homepage',
  'listing',
  'media-only',
  'robots',
  'too-large',
  'truncated',
  'unsupported-type',
  'blocked-address',
  'bad-url',
  'redirect-loop',
  'gone',
  'forbidden',
  'http-status',
  'retracted',
] as const

/** What went wrong where a stage threw. Added to, never renamed. */
export const FAULT_CODES = [
  'dns',
  'connect',
  'reset',
  'tls',
  'timeout',
  'server-error',
  'rate-limited',
  'cut-short',
  'bad-response',
  'parser-died',
  'parser-timeout',
  'record-lost',
  'schema',
  'stalled',
  'deadline',
  'archive-unavailable',
  'search-unavailable',
  'search-rejected',
  'internal',
] as const

export const RefusalCode = z.enum(REFUSAL_CODES)
export type RefusalCode = z.infer<typeof RefusalCode>
export const FaultCode = z.enum(FAULT_CODES)
export type FaultCode = z.infer<typeof FaultCode>
export const Code = z.enum([...REFUSAL_CODES, ...FAULT_CODES])
export type Code = z.infer<typeof Code>

/** Faults that are counted against the page that was being read: at the second one it becomes a dead letter. */
export const DEATH_CODES: readonly FaultCode[] = ['parser-died', 'parser-timeout']
