import { IntakeRecord } from '@copydesk/contracts'
import { listSegments, scanSegment } from './scan.ts'

/** Reads the newest intake records again and again, for the tail check. */
export interface IntakeTail {
  /** Every intake record whose `at` is at or after `sinceMs`, one at a time, so that a large import is never in memory whole. What is older was passed over once and isn't read again, unless `sinceMs` goes back. */
  read(sinceMs: number): AsyncGenerator<IntakeRecord>
}

export function createIntakeTail(folder: string): IntakeTail {
  /** By segment, where its first record that was young enough began: all before it are older than `lowest`. */
  let starts = new Map<string, number>()
  let lowest = Infinity

  async function* read(sinceMs: number): AsyncGenerator<IntakeRecord> {
    // A Redis that came back from an older state has an older mark: then all is read again.
    if (sinceMs < lowest) starts = new Map()
    lowest = sinceMs
    const segments = await listSegments(folder, 'intake', sinceMs)
    for (const gone of [...starts.keys()].filter((name) => !segments.includes(name))) starts.delete(gone)
    for (const segment of segments) yield* readSegment(segment, sinceMs)
  }

  async function* readSegment(segment: string, sinceMs: number): AsyncGenerator<IntakeRecord> {
    let young = false
    for await (const { reference, record } of scanSegment(folder, segment, starts.get(segment) ?? 0)) {
      const intake = IntakeRecord.parse(record)
      const isYoung = Date.parse(intake.at) >= sinceMs
      if (!young) starts.set(segment, isYoung ? reference.offset : reference.offset + reference.length)
      young ||= isYoung
      if (isYoung) yield intake
    }
  }

  return { read }
}
