import { EndRecord, IntakeRecord, type RecordKind, type RecordStamp, type Reference } from '@copydesk/contracts'
import { type OnDamage, onceEach } from './damage.ts'
import { listFiles } from './list.ts'
import { readAs, readStamp } from './reading.ts'
import { type ScannedRecord, scanSegments } from './scan.ts'

/** Reads the whole archive through, for recover and audit: what was accepted, what was kept of it, and how it ended. */
export interface LedgerReader {
  /** Every end, retry and dismissal. */
  ends(): AsyncGenerator<EndRecord>
  /** Every intake record. */
  intake(): AsyncGenerator<IntakeRecord>
  /** Every record of a kind in segments that were written at or after `sinceMs` (ms since 1970): whose it is and where it lies, not what it says. */
  records(kind: 'raw' | 'clean' | 'article', sinceMs: number): AsyncGenerator<{ stamp: RecordStamp; reference: Reference }>
  /** How much there is to read of a kind. */
  count(kind: RecordKind, sinceMs?: number): Promise<{ segments: number; bytes: number }>
  /** Bytes read so far, of all kinds; what is read again counts again. */
  progress(): number
}

/** `onDamage` is told, once for each place, of what was destroyed or can't be understood, and is gone past. Nothing is in any order but that of the segments' names. */
export function createLedgerReader(folder: string, { onDamage = ignore }: { onDamage?: OnDamage } = {}): LedgerReader {
  const report = onceEach(onDamage)
  let bytesRead = 0
  const common = {
    onDamage: report,
    onRead: (bytes: number) => {
      bytesRead += bytes
    },
  }

  return {
    ends: () => contents(scanSegments(folder, 'ends', { read: readEnd, ...common })),
    intake: () => contents(scanSegments(folder, 'intake', { read: readIntake, ...common })),
    async *records(kind, sinceMs) {
      const scanned = scanSegments(folder, kind, { sinceMs, read: readStamp, ...common })
      for await (const { reference, record } of scanned) yield { stamp: record, reference }
    },
    async count(kind, sinceMs = 0) {
      const files = await listFiles(folder, kind, sinceMs)
      return { segments: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    progress: () => bytesRead,
  }
}

const readEnd = readAs(EndRecord)
const readIntake = readAs(IntakeRecord)

async function* contents<T>(scanned: AsyncGenerator<ScannedRecord<T>>): AsyncGenerator<T> {
  for await (const { record } of scanned) yield record
}

function ignore(): void {}
