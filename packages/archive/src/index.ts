/** The archive: WARC/1.1 segments in a folder, appended to by each process in files of its own, read by reference from any process while they grow. */
export { type Archive, type ArchiveOptions, createArchive } from './archive.ts'
export { type ArchivedRecord } from './archived.ts'
export { hasSegments, readEpoch, writeEpoch } from './epoch.ts'
export { findEnds } from './find-ends.ts'
export { createIntakeTail, type IntakeTail } from './intake-tail.ts'
export { type ArchiveReader, createArchiveReader } from './reader.ts'
export { type ArchiveRecordStore, createRecordStore } from './record-store.ts'
export { type ScannedRecord, scanSegments } from './scan.ts'
