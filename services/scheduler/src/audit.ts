import {
  type ArticleRecord,
  type CaptureId,
  captureTime,
  type EndRecord,
  type RecordStamp,
  type Reference,
  supersedes,
} from '@copydesk/contracts'
import { type Log, PermanentError } from '@copydesk/pipeline'

/** What the audit reads of the archive. */
export interface AuditArchive {
  ends(): AsyncIterable<EndRecord>
  articles(sinceMs: number): AsyncIterable<{ stamp: RecordStamp; reference: Reference }>
  /** The last ends of these captures in what was written since a time (ms since 1970). */
  endsSince(captureIds: CaptureId[], sinceMs: number): Promise<ReadonlyMap<CaptureId, EndRecord>>
  /** Throws a PermanentError where the record is gone, damaged, or of another form. */
  load(reference: Reference): Promise<ArticleRecord>
}

/** An article record as the auditor takes it. */
type Audited = ArticleRecord & { captureId: CaptureId; rev: number }

export interface AuditDeps {
  archive: AuditArchive
  /** Captures that are under way or dead letters: none of the audit's business. */
  busy(captureIds: CaptureId[]): Promise<ReadonlySet<CaptureId>>
  /** Compares a batch with what is stored, and writes what is missing or old where `repair`. */
  compare(
    batch: Audited[],
    options: { repair: boolean },
  ): Promise<{ missing: string[]; old: string[]; rejected: string[]; repaired: number }>
  log: Log
  now: () => number
}

export interface AuditOptions {
  repair: boolean
  /** Only captures taken in since then (ms since 1970). */
  sinceMs?: number
  /** Only so many of them, chosen by chance. */
  sample?: number
  onProgress?: (text: string) => void
  random?: () => number
}

export interface AuditResult {
  /** Article records compared with what is stored. */
  compared: number
  /** Articles that are not in Elasticsearch, and articles whose document is older than their record. */
  missing: number
  old: number
  repaired: number
  /** Articles that Elasticsearch refuses, or under whose id something foreign is stored. */
  rejected: number
  /** Records that could not be read. */
  unreadable: number
}

/** Ends that mean that the record's article is what was written. */
const WRITTEN = new Set(['indexed', 'unchanged'])
const BATCH = 200

/** The end that counts: the highest rev, then run. */
interface Ended {
  rev: number
  run: number
  written: boolean
}

interface Found {
  captureId: CaptureId
  rev: number
  run: number
  reference: Reference
}

/**
 * Compares every article record whose end is `indexed`, `unchanged` or missing with what is stored, in the order of captures
 * (docs/ARCHITECTURE.md, Audit). What is under way, dead, or ended otherwise is left alone. No end is written, no counter moved.
 */
export async function auditArchive(deps: AuditDeps, options: AuditOptions): Promise<AuditResult> {
  const { archive } = deps
  const { repair, sinceMs = 0, onProgress = () => undefined } = options
  const beganAt = deps.now()
  const ends = await readEnds(archive, sinceMs, onProgress)
  const records = chooseRecords(await readRecords(archive, ends, sinceMs, onProgress), options)
  const [missing, old] = [new Set<string>(), new Set<string>()]
  const result: AuditResult = { compared: 0, missing: 0, old: 0, repaired: 0, rejected: 0, unreadable: 0 }
  for (let from = 0; from < records.length; from += BATCH) {
    const due = await leaveOut(records.slice(from, from + BATCH))
    const batch = await load(due)
    const found = await deps.compare(batch, { repair })
    result.compared += batch.length
    result.unreadable += due.length - batch.length
    result.repaired += found.repaired
    result.rejected += found.rejected.length
    for (const id of found.missing) missing.add(id)
    for (const id of found.old) if (!missing.has(id)) old.add(id)
    onProgress(
      `compared ${Math.min(from + BATCH, records.length)} of ${records.length} records: ${missing.size} missing, ${old.size} old${repair ? `, ${result.repaired} written` : ''}`,
    )
  }
  return { ...result, missing: missing.size, old: old.size }

  /** An end that is missing may be one that has not come yet, or that came since the ends were read. */
  async function leaveOut(batch: Found[]): Promise<Found[]> {
    const open = batch.filter(({ captureId }) => !ends.has(captureId)).map(({ captureId }) => captureId)
    if (open.length === 0) return batch
    const busy = await deps.busy(open)
    const since = await archive.endsSince(open, beganAt)
    return batch.filter(({ captureId }) => {
      const end = since.get(captureId)
      return !busy.has(captureId) && (end === undefined || WRITTEN.has(end.outcome ?? ''))
    })
  }

  async function load(batch: Found[]): Promise<Audited[]> {
    const loaded = await Promise.all(
      batch.map(async ({ captureId, rev, reference }) => {
        try {
          return { ...(await archive.load(reference)), captureId, rev }
        } catch (error) {
          // A folder that can't be read is no fault of the record.
          if (!(error instanceof PermanentError)) throw error
          deps.log.warn({ captureId, reason: error.message.slice(0, 500) }, 'an article record could not be read')
          return null
        }
      }),
    )
    return loaded.filter((each) => each !== null)
  }
}

async function readEnds(archive: AuditArchive, sinceMs: number, onProgress: (text: string) => void): Promise<Map<CaptureId, Ended>> {
  const ends = new Map<CaptureId, Ended>()
  for await (const { captureId, rev, run, kind, outcome } of archive.ends()) {
    if (captureTime(captureId) < sinceMs) continue
    const other = ends.get(captureId)
    if (other && supersedes(other, { rev, run })) continue
    // A retry takes the end back: then it is under way, or its new end got lost.
    if (kind === 'retry') ends.delete(captureId)
    else ends.set(captureId, { rev, run, written: kind === 'end' && WRITTEN.has(outcome ?? '') })
    if (ends.size % 50_000 === 0) onProgress(`read ${ends.size} ends`)
  }
  return ends
}

async function readRecords(
  archive: AuditArchive,
  ends: ReadonlyMap<CaptureId, Ended>,
  sinceMs: number,
  onProgress: (text: string) => void,
): Promise<Found[]> {
  const last = new Map<CaptureId, Found>()
  for await (const { stamp, reference } of archive.articles(sinceMs)) {
    const { captureId, rev, run } = stamp
    if (captureTime(captureId) < sinceMs || ends.get(captureId)?.written === false) continue
    const other = last.get(captureId)
    if (other && supersedes(other, { rev, run })) continue
    last.set(captureId, { captureId, rev, run, reference })
    if (last.size % 50_000 === 0) onProgress(`found ${last.size} article records`)
  }
  // A captureId begins with the time of its intake.
  return [...last.values()].toSorted((a, b) => (a.captureId < b.captureId ? -1 : 1))
}

/** So many of them by chance, in their order. */
function chooseRecords(records: Found[], { sample, random = Math.random }: AuditOptions): Found[] {
  if (sample === undefined || records.length <= sample) return records
  let left = sample
  return records.filter((_record, at) => {
    const isChosen = random() < left / (records.length - at)
    if (isChosen) left -= 1
    return isChosen
  })
}
