import type { EndRecord, RecordStamp, Reference } from '@copydesk/contracts'

/** Where records are kept; the archive adapter implements it. */
export interface RecordStore {
  /** The content of a record. Throws PermanentError `record-lost` where it is gone. */
  load(ref: Reference): Promise<unknown>
  /** Keeps a stage's output; resolves only after it is synced. */
  keep(kind: 'raw' | 'clean' | 'article', stamp: RecordStamp, output: unknown): Promise<Reference>
  /** Notes an end, in batches, without waiting: one lost means that a stage runs once more. */
  end(record: EndRecord): void
}
