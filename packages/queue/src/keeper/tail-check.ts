import type { CaptureId, EndRecord, Envelope, IntakeItem, IntakeRecord } from '@copydesk/contracts'
import type { Queues } from '../queues.ts'
import { firstStage, type Registry } from '../registry.ts'
import { urlDigest } from '../keys.ts'

/** The end of the archive's intake; the archive adapter implements it. */
export interface IntakeTail {
  /** Every intake record since a time (ms since 1970), oldest first. Reads on from where it stopped. */
  read(sinceMs: number): Promise<IntakeRecord[]>
  /** The last end of each of these captures that has one, looked for in what was written since a time. */
  ends(captureIds: CaptureId[], sinceMs: number): Promise<ReadonlyMap<CaptureId, EndRecord>>
}

/** The redis commands that the mark needs. */
export interface MarkStore {
  mark(): Promise<number | null>
}

export type EndWriter = { end(record: EndRecord): void }

export interface TailCheckOptions {
  /** Younger intake records may still be accepted by the one who wrote them, in milliseconds. */
  settleMs: number
  /** How far before the mark the check reads, in milliseconds. */
  overlapMs: number
  /** How long before the mark a capture stays known, in milliseconds: more than the overlap, or an old one would be accepted anew. */
  knownMs: number
}
export const DEFAULT_TAIL_CHECK: TailCheckOptions = { settleMs: 30_000, overlapMs: 10 * 60_000, knownMs: 20 * 60_000 }
const BATCH = 500

/**
 * Accepts what stands in the archive's intake and Redis does not know: a kill between the intake record and accept, or a Redis that came back
 * from an older append-only file. Then sets the mark. Answers how many were accepted.
 */
export async function tailCheck(
  at: { registry: Registry; queues: Queues; tail: IntakeTail; marks: MarkStore; ends: EndWriter },
  nowMs: number,
  options: TailCheckOptions = DEFAULT_TAIL_CHECK,
): Promise<number> {
  const sinceMs = ((await at.marks.mark()) ?? 0) - options.overlapMs
  const untilMs = nowMs - options.settleMs
  const records = (await at.tail.read(sinceMs)).filter((record) => Date.parse(record.at) >= sinceMs && Date.parse(record.at) < untilMs)
  const items = new Map(records.flatMap((record) => record.items.map((item) => [item.captureId, item] as const)))
  const unknown: CaptureId[] = []
  const ids = [...items.keys()]
  for (let from = 0; from < ids.length; from += BATCH) unknown.push(...(await at.registry.unknown(ids.slice(from, from + BATCH))))
  if (unknown.length > 0) {
    const ends = await at.tail.ends(unknown, sinceMs)
    for (const captureId of unknown) await takeUp(at, items.get(captureId), ends.get(captureId), nowMs)
  }
  await at.registry.mark(untilMs, untilMs - options.knownMs)
  return unknown.length
}

async function takeUp(
  at: { registry: Registry; queues: Queues; ends: EndWriter },
  item: IntakeItem | undefined,
  end: EndRecord | undefined,
  nowMs: number,
): Promise<void> {
  if (!item) return
  const envelope = envelopeOf(item)
  // A retry takes the end back: such a capture was under way.
  if (end && end.kind !== 'retry') {
    await at.registry.acceptEnded(envelope, end, { key: item.key, urlDigest: urlDigest(item.url) })
    return
  }
  const accepted = await at.registry.accept(envelope, { key: item.key, urlDigest: urlDigest(item.url) })
  if (accepted.kind === 'accepted') await at.queues.add(firstStage(envelope), envelope)
  if (accepted.kind === 'duplicate') at.ends.end(duplicateEnd(envelope, accepted.duplicateOf, new Date(nowMs).toISOString()))
}

/** The end record of a capture that was a repeat when it came in. */
export function duplicateEnd({ captureId, rev, ref }: Envelope, duplicateOf: CaptureId, at: string): EndRecord {
  return { v: 1, captureId, rev, run: 0, kind: 'end', at, stage: ref === null ? 'fetch' : 'clean', outcome: 'duplicate-run', duplicateOf }
}

/** The envelope of a capture's first job. */
export function envelopeOf(item: IntakeItem): Envelope {
  const { captureId, url, ref, hints } = item
  return { v: 1, captureId, rev: 0, url, ref, ...(hints && { hints }) }
}
