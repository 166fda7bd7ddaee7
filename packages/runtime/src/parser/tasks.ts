import type { ArticleRecord, CaptureId, CleanedPage, FetchedPage, Reference } from '@copydesk/contracts'
import type { CleanReply } from '@copydesk/extraction'

/** A page to be cleaned: by its reference in the archive, or itself where there is no archive. */
export type CleanTask = { captureId: CaptureId } & ({ ref: Reference } | { page: FetchedPage })

/** A cleaned page to be described: by its reference, or itself. */
export type DescribeTask = { captureId: CaptureId } & ({ ref: Reference } | { cleaned: CleanedPage })

/**
 * Works on pages in child processes. A child's death is a RetryableError `parser-died`, an overrun one `parser-timeout`: both count against
 * the page. What a task throws arrives as the class and code it was. When the signal is aborted, its reason is thrown and the child killed.
 */
export interface ParserPool {
  clean(task: CleanTask, signal: AbortSignal): Promise<CleanReply>
  describe(task: DescribeTask, signal: AbortSignal): Promise<ArticleRecord>
  /** Tasks under way and waiting; how many children died, overran or grew too large since the start. */
  stats(): ParserStats
  /** Kills what is under way and ends the children. */
  close(): Promise<void>
}

export interface ParserStats {
  size: number
  active: number
  waiting: number
  died: number
  overran: number
  grown: number
}
