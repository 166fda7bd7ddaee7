import {
  type CaptureId,
  captureTime,
  type EndRecord,
  type IntakeItem,
  type IntakeRecord,
  type Outcome,
  OUTCOMES,
  type RecordStamp,
  type Reference,
  supersedes,
} from '@copydesk/contracts'
import { createEndsTable } from './ends-table.ts'

/** The kinds of record that a capture leaves on its way, in the order of the stages. */
export const KINDS = ['raw', 'clean', 'article'] as const
export type Kind = (typeof KINDS)[number]

/** What the archive knows, read through; the archive adapter implements it. In no order. */
export interface LedgerArchive {
  /** Every end, retry and dismissal. */
  ends(): AsyncIterable<EndRecord>
  /** Every intake record. */
  intake(): AsyncIterable<IntakeRecord>
  /** Every record of a kind in what was written at or after `sinceMs` (ms since 1970). */
  records(kind: Kind, sinceMs: number): AsyncIterable<{ stamp: RecordStamp; reference: Reference }>
}

/** A record of a capture: of several of one kind the one that counts. */
export interface KeptRecord {
  kind: Kind
  rev: number
  run: number
  reference: Reference
}

/** A capture that is to be under way again, or (with `end`) a dead letter. */
export interface OpenCapture {
  item: IntakeItem
  /** The rev and run of its last end, retry or dismissal; 0 where it has none. */
  rev: number
  run: number
  end: EndRecord | null
  records: KeptRecord[]
}

/** A capture that ended lately: enough for a short trail. */
export interface EndedCapture {
  item: Pick<IntakeItem, 'captureId' | 'url' | 'ref'>
  end: EndRecord
}

export interface Ledger {
  accepted: number
  byOutcome: Map<Outcome, number>
  open: Map<CaptureId, OpenCapture>
  /** The last of those that ended since `trailsSince`, oldest first. */
  ended: EndedCapture[]
  /** Captures taken in since `knownSince`. */
  known: CaptureId[]
  /** Ends of captures whose intake record is gone: they are counted nowhere. */
  withoutIntake: number
}

export interface LedgerOptions {
  /** Ends before this time (ms) leave no trail. */
  trailsSince: number
  /** Most trails of captures that have ended. */
  trails: number
  knownSince: number
  /** Told now and then how far it is; awaited, so that others get their turn. */
  onProgress: (text: string) => Promise<void>
}

/**
 * Reads the archive's ledger through, in three passes, each over one kind of segment. Kept in memory: about 80 bytes (112 at most) for each capture that has ended,
 * half a kilobyte for each of the last trails, about a kilobyte for each one in flight and each dead letter.
 */
export async function readLedger(archive: LedgerArchive, options: LedgerOptions): Promise<Ledger> {
  const { table, details } = await readEnds(archive, options)
  const ledger: Ledger = { accepted: 0, byOutcome: new Map(), open: new Map(), ended: [], known: [], withoutIntake: 0 }
  for (const outcome of OUTCOMES) ledger.byOutcome.set(outcome, 0)
  let records = 0
  for await (const record of archive.intake()) {
    records += 1
    for (const item of record.items) takeIn(item)
    if (records % 500 === 0) await options.onProgress(`reading the intake: ${ledger.accepted} captures so far`)
  }
  ledger.ended.sort((a, b) => Date.parse(a.end.at) - Date.parse(b.end.at))
  ledger.ended.splice(0, Math.max(0, ledger.ended.length - options.trails))
  ledger.withoutIntake = table.unasked()
  await readRecords(archive, ledger.open, options)
  return ledger

  function takeIn(item: IntakeItem): void {
    const { captureId } = item
    const last = table.take(captureId)
    if (last?.again || ledger.open.has(captureId)) return
    ledger.accepted += 1
    if (captureTime(captureId) >= options.knownSince) ledger.known.push(captureId)
    const detail = details.get(captureId) ?? null
    const outcome = last?.outcome ?? null
    if (outcome !== null) ledger.byOutcome.set(outcome, (ledger.byOutcome.get(outcome) ?? 0) + 1)
    if (outcome === null || outcome === 'failed') {
      const end = outcome === null ? null : detail
      ledger.open.set(captureId, { item, rev: last?.rev ?? 0, run: last?.run ?? 0, end, records: [] })
    } else if (detail !== null) {
      ledger.ended.push({ item: { captureId, url: item.url, ref: item.ref }, end: detail })
    }
  }
}

/** Pass 1: which end counts for each capture; its words only where they are needed: of dead letters, and of the last trails. */
async function readEnds(archive: LedgerArchive, { trailsSince, trails, onProgress }: LedgerOptions) {
  const table = createEndsTable()
  const details = new Map<CaptureId, EndRecord>()
  let failed = 0
  let read = 0
  for await (const record of archive.ends()) {
    read += 1
    const { captureId, rev, run, kind } = record
    const at = Date.parse(record.at)
    const outcome = outcomeOf(record)
    if (table.put(captureId, { rev, run, at, outcome })) {
      if (details.get(captureId)?.outcome === 'failed') failed -= 1
      details.delete(captureId)
      if (outcome === 'failed') failed += 1
      if (outcome === 'failed' || (kind !== 'retry' && at >= trailsSince))
        details.set(captureId, outcome === null ? record : { ...record, outcome })
      if (details.size - failed > trails * 1.25 + 1000) keepNewest(details, trails)
    }
    if (read % 2000 === 0) await onProgress(`reading the ends: ${read} so far`)
  }
  return { table, details }
}

function outcomeOf({ kind, outcome }: EndRecord): Outcome | null {
  if (kind === 'retry') return null
  return kind === 'dismissal' ? 'dismissed' : (outcome ?? 'failed')
}

/** Lets the oldest go, dead letters aside. */
function keepNewest(details: Map<CaptureId, EndRecord>, most: number): void {
  const others = [...details.values()].filter(({ outcome }) => outcome !== 'failed').toSorted((a, b) => (a.at < b.at ? -1 : 1))
  for (const { captureId } of others.slice(0, Math.max(0, others.length - most))) details.delete(captureId)
}

/** Pass 3: the records of captures that are open. */
async function readRecords(archive: LedgerArchive, open: Map<CaptureId, OpenCapture>, options: LedgerOptions): Promise<void> {
  if (open.size === 0) return
  const since = [...open.keys()].reduce((oldest, captureId) => Math.min(oldest, captureTime(captureId)), Infinity)
  const segments = new Map<string, string>()
  for (const kind of KINDS) {
    let read = 0
    for await (const { stamp, reference } of archive.records(kind, since)) {
      read += 1
      const capture = open.get(stamp.captureId)
      // A segment's name is one string for all of its records.
      if (capture) note(capture, { kind, rev: stamp.rev, run: stamp.run, reference: { ...reference, segment: shared(reference.segment) } })
      if (read % 2000 === 0) await options.onProgress(`reading the ${kind} records of ${open.size} open captures: ${read} so far`)
    }
  }

  function shared(segment: string): string {
    const known = segments.get(segment)
    if (known === undefined) segments.set(segment, segment)
    return known ?? segment
  }
}

function note(capture: OpenCapture, record: KeptRecord): void {
  const at = capture.records.findIndex(({ kind }) => kind === record.kind)
  const other = capture.records[at]
  if (!other) capture.records.push(record)
  else if (supersedes(record, other)) capture.records[at] = record
}
