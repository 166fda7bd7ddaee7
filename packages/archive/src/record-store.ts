import { type EndRecord, FetchedPage, type RecordStamp, type Reference } from '@copydesk/contracts'
import type { Archive } from './archive.ts'
import type { ArchiveReader } from './reader.ts'

/** What the runner keeps its records in. */
export interface ArchiveRecordStore {
  /** The content that a stage's input schema is to check. Of a page: its metadata, without the bytes. */
  load(reference: Reference): Promise<unknown>
  /** Keeps a stage's output; resolves once it is synced. */
  keep(kind: 'raw' | 'clean' | 'article', stamp: RecordStamp, output: unknown): Promise<Reference>
  /** Keeps an end, a retry or a dismissal, without waiting. */
  end(record: EndRecord): void
}

/** The record store that the runner asks for, on the archive. */
export function createRecordStore(archive: Archive, reader: ArchiveReader): ArchiveRecordStore {
  return {
    load: async (reference) => (await reader.readRecord(reference)).content,
    keep: (kind, stamp, output) =>
      kind === 'raw' ? archive.keepCapture(stamp, FetchedPage.parse(output)) : archive.keepRecord(kind, stamp, output),
    end: (record) => archive.end(record),
  }
}
