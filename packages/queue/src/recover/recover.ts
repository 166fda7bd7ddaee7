import { randomUUID } from 'node:crypto'
import { type CaptureId, OUTCOMES, type Outcome, STAGES, type StageName } from '@copydesk/contracts'
import type { Log } from '@copydesk/pipeline'
import type { Redis } from 'ioredis'
import type { EpochStore } from '../epoch.ts'
import { urlDigest } from '../keys.ts'
import { DEFAULT_TAIL_CHECK } from '../keeper/tail-check.ts'
import { type Caps, DEFAULT_CAPS } from '../registry.ts'
import { type Ledger, type LedgerArchive, readLedger } from './ledger.ts'
import { type EntryPlan, planEntry } from './plan.ts'
import { createWriteBack, RecoverError, type UrlPlan } from './write-back.ts'

export interface RecoverOptions {
  redis: Redis
  prefix: string
  archive: LedgerArchive
  epochStore: EpochStore
  /** False: only say what it would do. */
  apply: boolean
  /** Told a few times a second what it does, with numbers. */
  onProgress: (text: string) => void
  log: Log
  /** How many places of the archive were found destroyed; asked at the end. */
  damaged?: () => number
  caps?: Caps
  now?: () => number
}

export interface RecoverResult {
  /** Captures that were accepted: in flight + outcomes. */
  captures: number
  byOutcome: Record<Outcome, number>
  inFlight: Record<StageName, number>
  deadLetters: number
  /** Places of the archive that are destroyed, and ends whose capture's intake record is gone: these are counted nowhere. */
  damaged: number
  withoutIntake: number
  seconds: number
}

const URL_CAPTURES = 10
const PROGRESS_MS = 250

/**
 * Makes a Redis that was lost anew from the archive: totals, dead letters, and an entry for each capture without an end, after its last record. The reconciler adds the jobs.
 * The epoch is set with the last step, so a run that was cut is simply started again, and several at once do no harm: the last one to begin does it.
 * Throws RecoverError where there is nothing to recover, or not from this pair; also where Redis refuses writes.
 */
export async function recover(options: RecoverOptions): Promise<RecoverResult> {
  const { redis, prefix, archive, epochStore, apply, caps = DEFAULT_CAPS, now = Date.now } = options
  const startedAt = now()
  const tell = progress(options.onProgress)
  if (!(await epochStore.hasSegments())) throw new RecoverError(NO_SEGMENTS)
  const inRedis = await redis.get(`${prefix}:epoch`)
  let epoch = await epochStore.read()
  if (epoch !== null && inRedis === epoch) throw new RecoverError(AGREED)
  if (inRedis !== null && Number((await redis.hget(`${prefix}:counts`, 'accepted')) ?? 0) > 0) throw new RecoverError(FOREIGN)
  const out = createWriteBack(redis, prefix, randomUUID(), caps)
  if (apply) {
    epoch ??= await makeEpoch(epochStore)
    const answer = await out.begin(epoch)
    if (answer !== 'begun') throw new RecoverError(answer === 'agreed' ? AGREED : FOREIGN)
    await tell('taking away what a recover that was cut has left', true)
    await out.clear()
  }
  const ledger = await readLedger(archive, {
    trailsSince: startedAt - caps.trailSeconds * 1000,
    trails: caps.trails,
    knownSince: startedAt - DEFAULT_TAIL_CHECK.knownMs,
    onProgress: async (text) => await tell(text),
  })
  const entries = [...ledger.open.values()].map(planEntry).toSorted((a, b) => (a.captureId < b.captureId ? -1 : 1))
  if (apply) {
    const done = (what: string, of: number) => async (count: number) => await tell(`writing ${what}: ${count} of ${of}`)
    await out.known(ledger.known, done('captures of the last minutes', ledger.known.length))
    await out.ended(ledger.ended, done('trails', ledger.ended.length))
    await out.entries(entries, done('captures in flight and dead letters', entries.length))
    const urls = urlLedger(ledger, entries, caps.urls)
    await out.urls(urls, done('addresses', urls.length))
    // What is taken in while this works may be read or not: the tail check looks back from when it began, and finds the rest.
    await out.totals({ epoch: epoch ?? '', mark: startedAt, accepted: ledger.accepted, byOutcome: ledger.byOutcome })
  }
  const result = summary(ledger, entries, { damaged: options.damaged?.() ?? 0, seconds: (now() - startedAt) / 1000 })
  options.log.info({ apply, ...result }, apply ? 'recovered Redis from the archive' : 'looked what recover would do')
  return result
}

/** An archive that has segments and no epoch gets one. */
async function makeEpoch(store: EpochStore): Promise<string> {
  await store.write(randomUUID())
  const made = await store.read()
  if (made === null) throw new RecoverError('The epoch was written to the archive and is not there: check ARCHIVE_DIR, then recover again.')
  return made
}

/** The newest captures of each address: of those that are open, and of those that have left a trail. */
function urlLedger(ledger: Ledger, entries: readonly EntryPlan[], most: number): UrlPlan[] {
  const found = [
    ...ledger.ended.map(({ item, end }) => ({ captureId: item.captureId, url: item.url, articleId: end.articleId ?? '' })),
    ...entries.map(({ captureId, envelope }) => ({ captureId, url: envelope.url, articleId: '' })),
  ].toSorted((a, b) => (a.captureId < b.captureId ? 1 : -1))
  const urls = new Map<string, { captures: CaptureId[]; articleId: string }>()
  for (const { captureId, url, articleId } of found) {
    const digest = urlDigest(url)
    if (digest === null) continue
    const known = urls.get(digest)
    if (!known && urls.size >= most) continue
    const plan = known ?? { captures: [], articleId: '' }
    if (plan.captures.length < URL_CAPTURES) plan.captures.push(captureId)
    plan.articleId ||= articleId
    urls.set(digest, plan)
  }
  return [...urls].map(([digest, plan]) => ({ digest, ...plan }))
}

function summary(ledger: Ledger, entries: readonly EntryPlan[], at: { damaged: number; seconds: number }): RecoverResult {
  const inFlight = Object.fromEntries(STAGES.map(({ name }) => [name, 0])) as Record<StageName, number>
  for (const { stage, dead } of entries) if (dead === null) inFlight[stage] += 1
  return {
    captures: ledger.accepted,
    byOutcome: Object.fromEntries(OUTCOMES.map((name) => [name, ledger.byOutcome.get(name) ?? 0])) as Record<Outcome, number>,
    inFlight,
    deadLetters: entries.filter(({ dead }) => dead !== null).length,
    withoutIntake: ledger.withoutIntake,
    ...at,
  }
}

/** Tells a few times a second, and lets others have their turn. */
function progress(onProgress: (text: string) => void): (text: string, always?: boolean) => Promise<void> {
  let last = -Infinity
  return async (text, always = false) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (!always && performance.now() - last < PROGRESS_MS) return
    last = performance.now()
    onProgress(text)
  }
}

const AGREED = 'There is nothing to recover: this Redis and this archive belong together.'
const FOREIGN =
  'This Redis belongs to another archive, and has accepted work for it. Set REDIS_URL to an empty Redis (or REDIS_PREFIX to one that nobody uses) to recover this archive into it, or ARCHIVE_DIR to the archive that this Redis was filled beside.'
const NO_SEGMENTS =
  'The archive holds nothing to recover from: bring its folder back from a copy, or set ARCHIVE_DIR to where it is, then recover.'
