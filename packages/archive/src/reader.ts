import type { FileHandle } from 'node:fs/promises'
import type { FetchedPage, Reference } from '@copydesk/contracts'
import { PermanentError, RetryableError } from '@copydesk/pipeline'
import { type ArchivedRecord, MAX_RECORD_BYTES, parseMembers, toArchivedRecord, toPage } from './archived.ts'
import { createDescriptors } from './descriptors.ts'
import type { WarcRecord } from './warc-record.ts'

/** The archive's reading side: any process, while the segments grow, under `--permission` with read rights on the folder too. A record that isn't there or isn't whole is a PermanentError `record-lost`, one of another version `schema`; a folder that can't be read a RetryableError `archive-unavailable`. */
export interface ArchiveReader {
  /** A page: its wire bytes as they came, and what is known of them. */
  readCapture(reference: Reference): Promise<FetchedPage>
  /** A cleaned page, an article record, or a page's metadata: not yet checked against its schema. */
  readRecord(reference: Reference): Promise<ArchivedRecord>
  close(): Promise<void>
}

/** Descriptors kept open: the segments of a few hours. */
const OPEN_SEGMENTS = 64

export function createArchiveReader({ folder }: { folder: string }): ArchiveReader {
  const descriptors = createDescriptors(folder, OPEN_SEGMENTS)

  async function read<Result>(reference: Reference, build: (records: WarcRecord[]) => Result): Promise<Result> {
    const bytes = await readBytes(reference)
    try {
      return build(parseMembers(bytes))
    } catch (error) {
      throw error instanceof PermanentError ? error : lost(reference, (error as Error).message, error)
    }
  }

  async function readBytes(reference: Reference): Promise<Buffer> {
    if (reference.length > MAX_RECORD_BYTES) throw lost(reference, `its length is over ${MAX_RECORD_BYTES} bytes`)
    try {
      return await descriptors.use(reference.segment, (handle) => readExactly(handle, reference))
    } catch (error) {
      throw explain(folder, reference, error)
    }
  }

  return {
    readCapture: (reference) => read(reference, toPage),
    readRecord: (reference) => read(reference, toArchivedRecord),
    close: () => descriptors.close(),
  }
}

async function readExactly(handle: FileHandle, { offset, length }: Reference): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw Object.assign(new Error(`the segment ends at ${offset + done}`), { code: 'TORN' })
    done += bytesRead
  }
  return bytes
}

function explain(folder: string, reference: Reference, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return lost(reference, 'its segment is gone', error)
  if (code === 'TORN' || error instanceof TypeError) return lost(reference, message, error)
  const advice = `cannot read the archive in ${folder}: ${message}. Check that the folder is mounted and that the service's user may read it`
  return new RetryableError('archive-unavailable', advice, { cause: error })
}

function lost({ segment, offset, length }: Reference, why: string, cause?: unknown): PermanentError {
  return new PermanentError('record-lost', `the record at ${offset}+${length} of ${segment.slice(0, 80)} is lost: ${why}`, { cause })
}
