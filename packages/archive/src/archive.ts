import { mkdir } from 'node:fs/promises'
import type { EndRecord, FetchedPage, IntakeRecord, RecordKind, RecordStamp, Reference } from '@copydesk/contracts'
import { type Log, RetryableError } from '@copydesk/pipeline'
import { type Appender, createAppender } from './appender.ts'
import { captureMembers, conversionMembers, ledgerMembers } from './members.ts'
import { newSegmentName } from './names.ts'
import { createSegment } from './segment.ts'

export interface ArchiveOptions {
  /** Where the segments lie; made where it is missing. */
  folder: string
  log: Log
  /** This process, a UUID: named in each of its segments, so that the sweep knows whose they are. Without it they count as left by a dead process. */
  processId?: string
  /** Bytes at which a segment is closed. */
  rotateBytes?: number
  /** Milliseconds after which a segment is closed, idle or not. */
  rotateMs?: number
  /** Records under one sync. */
  maxBatch?: number
}

/** The archive's writing side. Each process has one, with segments of its own; every `keep` resolves once its bytes are on the disk, or throws a RetryableError `archive-unavailable`. */
export interface Archive {
  /** Keeps a page's wire bytes and what is known of them; the one reference covers both records. */
  keepCapture(stamp: RecordStamp, page: FetchedPage): Promise<Reference>
  /** Keeps a cleaned page or an article record, as JSON. */
  keepRecord(kind: 'clean' | 'article', stamp: RecordStamp, content: unknown): Promise<Reference>
  keepIntake(record: IntakeRecord): Promise<Reference>
  /** Keeps an end, a retry or a dismissal without waiting for the disk: one lost means that a stage runs once more. */
  end(record: EndRecord): void
  /** Resolves when everything given so far, ends too, is written and synced (or has failed). */
  flush(): Promise<void>
  /** Flushes, closes the segments, and takes nothing more. */
  close(): Promise<void>
}

const MIB = 1024 * 1024
const MINUTE = 60_000

/** The archive in a folder of one host or of a shared file system. Nothing is created before the first record. */
export function createArchive(options: ArchiveOptions): Archive {
  const { folder, log, processId = null, rotateBytes = 256 * MIB, rotateMs = 15 * MINUTE, maxBatch = 32 } = options
  const appenders = new Map<RecordKind, Appender>()
  const ends = new Set<Promise<void>>()
  let closed = false

  function appender(kind: RecordKind): Appender {
    const present = appenders.get(kind)
    if (present !== undefined) return present
    if (closed) throw new RetryableError('archive-unavailable', 'the archive is closed: the process is shutting down')
    const create = async () => {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      return createSegment(folder, newSegmentName(kind), processId)
    }
    const made = createAppender({ kind, folder, log, rotateBytes, rotateMs, maxBatch, createSegment: create })
    appenders.set(kind, made)
    return made
  }

  async function keepEnd(record: EndRecord): Promise<void> {
    try {
      await appender('ends').append(await ledgerMembers(record))
    } catch (error) {
      log.warn({ captureId: record.captureId, kind: record.kind, err: String(error) }, 'end not kept')
    }
  }

  async function flush(): Promise<void> {
    await Promise.all(ends)
    await Promise.all([...appenders.values()].map((each) => each.flush()))
  }

  return {
    keepCapture: async (stamp, page) => appender('raw').append(await captureMembers(stamp, page)),
    keepRecord: async (kind, stamp, content) => appender(kind).append(await conversionMembers(stamp, content)),
    keepIntake: async (record) => appender('intake').append(await ledgerMembers(record)),
    end: (record) => {
      const kept = keepEnd(record).finally(() => ends.delete(kept))
      ends.add(kept)
    },
    flush,
    close: async () => {
      await flush()
      closed = true
      await Promise.all([...appenders.values()].map((each) => each.close()))
    },
  }
}
