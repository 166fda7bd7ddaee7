import { MAX_PAGE_BYTES } from '@copydesk/contracts'

/** What one fetch may cost. docs/OPERATIONS.md lists these limits beside the others. */
export interface Limits {
  /** Longest body, in bytes as they come over the wire. */
  bodyBytes: number
  /** Longest time for everything, redirects included, in milliseconds. */
  totalMs: number
  connectMs: number
  /** Longest wait for the head of an answer, in milliseconds. */
  headersMs: number
  /** Longest silence within a body, in milliseconds. */
  idleMs: number
  redirects: number
  headerBytes: number
  headers: number
  /** Most content-encodings on one body. */
  encodings: number
}

export const LIMITS: Limits = {
  bodyBytes: MAX_PAGE_BYTES,
  totalMs: 30_000,
  connectMs: 10_000,
  headersMs: 10_000,
  idleMs: 10_000,
  redirects: 10,
  headerBytes: 16 * 1024,
  headers: 100,
  encodings: 2,
}
