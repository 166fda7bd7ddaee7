import { type CaptureId, type EndRecord, IntakeRecord } from '@copydesk/contracts'
import { type OnDamage, onceEach } from './damage.ts'
import { findEnds } from './find-ends.ts'
import { listSegments } from './list.ts'
import { readAs } from './reading.ts'
import { scanSegment } from './scan.ts'

/** Reads the newest intake records again and again, for the tail check. */
export interface IntakeTail {
  /** Every intake record whose `at` is at or after `sinceMs`, oldest first. What is older was passed over once and isn't read again, unless `sinceMs` goes back. */
  read(sinceMs: number): Promise<IntakeRecord[]>
  /** As findEnds. */
  ends(captureIds: Iterable<CaptureId>, sinceMs: number): Promise<Map<CaptureId, EndRecord>>
}

/** `onDamage` is told, once for each place, of what was destroyed or can't be understood, and is gone past. */
export function createIntakeTail(folder: string, { onDamage = ignore }: { onDamage?: OnDamage } = {}): IntakeTail {
  const report = onceEach(onDamage)
  /** By segment, where its first record that was young enough began: all before it are older than `lowest`. */
  let starts = new Map<string, number>()
  let lowest = Infinity

  async function read(sinceMs: number): Promise<IntakeRecord[]> {
    // A Redis that came back from an older state has an older mark: then all is read again.
    if (sinceMs < lowest) starts = new Map()
    lowest = sinceMs
    const segments = await listSegments(folder, 'intake', sinceMs)
    starts = new Map([...starts].filter(([segment]) => segments.includes(segment)))
    const young: IntakeRecord[][] = []
    for (const segment of segments) young.push(await readSegment(segment, sinceMs))
    return young.flat().toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
  }

  async function readSegment(segment: string, sinceMs: number): Promise<IntakeRecord[]> {
    const young: IntakeRecord[] = []
    const options = { read: readIntake, onDamage: report }
    for await (const { reference, record: intake } of scanSegment(folder, segment, starts.get(segment) ?? 0, options)) {
      const isYoung = Date.parse(intake.at) >= sinceMs
      if (young.length === 0) starts.set(segment, isYoung ? reference.offset : reference.offset + reference.length)
      if (isYoung) young.push(intake)
    }
    return young
  }

  return { read, ends: (captureIds, sinceMs) => findEnds(folder, captureIds, sinceMs, { onDamage: report }) }
}

const readIntake = readAs(IntakeRecord)

function ignore(): void {}
