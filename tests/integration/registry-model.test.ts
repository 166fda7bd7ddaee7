import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import {
  type CaptureId,
  type EndRecord,
  type Envelope,
  type IntakeRecord,
  OUTCOMES,
  type Outcome,
  type Reference,
  type StageName,
  stageAfter,
} from '@copydesk/contracts'
import {
  connectRedis,
  createFailures,
  createRegistry,
  createViews,
  type Kind,
  type LedgerArchive,
  NotDeadError,
  type Queues,
  reconcile,
  recover,
  tailCheck,
} from '@copydesk/queue'
import * as fc from 'fast-check'
import { expect, inject, onTestFinished, test } from 'vitest'
import { keysOf, newCaptureId, openGate, silent } from '../support/redis.ts'

/**
 * Every move in every order that chance finds, sent twice too, by workers that were frozen, with Redis rolled back and wiped: on a real Redis, against the model below.
 * MODEL_SEED repeats a run; MODEL_SECONDS sets how long it goes on.
 */

interface Fence {
  captureId: CaptureId
  stage: StageName
  run: number
  attempt: number
  ms: number
}

/** Where a capture stands, as the rules say. Frozen, so that a saved state stays what it was. */
interface Place {
  stage: StageName
  run: number
  dead: boolean
  deaths: number
  deathRun: number
  ref: Reference | null
  hasKey: boolean
}

/** What a Redis should hold: it comes back older, or is emptied. */
interface State {
  known: Set<CaptureId>
  places: Map<CaptureId, Place>
  keys: Map<string, CaptureId>
  counts: Map<string, number>
  jobs: Set<string>
}

/** What no state of Redis can take back. */
interface Archive {
  intake: IntakeRecord[]
  ends: EndRecord[]
  records: { kind: Kind; captureId: CaptureId; run: number; reference: Reference }[]
}

interface Model {
  state: State
  archive: Archive
  fences: Fence[]
  /** The greatest run of each capture so far. */
  runs: Map<CaptureId, number>
  saved: { state: State; keys: { key: string; value: Buffer; ttl: number }[] } | null
}

type Real = Awaited<ReturnType<typeof startReal>>

const FIRST: StageName = 'fetch'
const KEEPS: Partial<Record<StageName, Kind>> = { fetch: 'raw', clean: 'clean', 'extract-metadata': 'article' }
const STAGE_AFTER: Record<Kind, StageName> = { raw: 'clean', clean: 'extract-metadata', article: 'index' }
const READS: Partial<Record<StageName, Kind>> = { clean: 'raw', 'extract-metadata': 'clean', index: 'article' }
const OPTIONS = { settleMs: -1000, overlapMs: 600_000, knownMs: 1_200_000 }

const same = (actual: unknown, wanted: unknown) => assert.deepEqual(actual, wanted)
const empty = (): State => ({ known: new Set(), places: new Map(), keys: new Map(), counts: new Map(), jobs: new Set() })
const copy = (state: State): State => ({
  known: new Set(state.known),
  places: new Map([...state.places].map(([id, place]) => [id, { ...place }])),
  keys: new Map(state.keys),
  counts: new Map(state.counts),
  jobs: new Set(state.jobs),
})
const emptyModel = (): Model => ({
  state: empty(),
  archive: { intake: [], ends: [], records: [] },
  fences: [],
  runs: new Map(),
  saved: null,
})

const redis = connectRedis(inject('redisUrl'), 'worker', () => undefined)

async function startReal(model: Model) {
  const prefix = `{model-${randomUUID().slice(0, 8)}}`
  await redis.set(`${prefix}:epoch`, 'epoch-1')
  const registry = createRegistry(redis, { prefix, epoch: () => 'epoch-1' })
  const jobOf = (stage: StageName, captureId: CaptureId) => `${stage} ${captureId}`
  const queues: Queues = {
    add: async (stage, { captureId }) => void model.state.jobs.add(jobOf(stage, captureId)),
    addAll: async (stage, envelopes) => envelopes.forEach(({ captureId }) => model.state.jobs.add(jobOf(stage, captureId))),
    has: async (stage, captureId) => model.state.jobs.has(jobOf(stage, captureId)),
    counts: async () => await Promise.reject(new Error('not asked for')),
    close: async () => undefined,
  }
  const ends = { end: (record: EndRecord) => void model.archive.ends.push(record) }
  const views = createViews({ redis, registry, queues, gate: openGate, prefix })
  const failures = createFailures({ registry, queues, ends, views })
  const archive: LedgerArchive = {
    async *ends() {
      yield* model.archive.ends.toReversed()
    },
    async *intake() {
      yield* model.archive.intake
    },
    async *records(kind) {
      for (const { captureId, run, reference } of model.archive.records.filter((record) => record.kind === kind).toReversed())
        yield { stamp: { v: 1, captureId, rev: 0, run }, reference }
    },
  }
  const tail = {
    read: async () => model.archive.intake,
    ends: async (ids: CaptureId[]) => new Map(ids.flatMap((id) => (lastEnd(model, id) ? [[id, lastEnd(model, id) as EndRecord]] : []))),
  }
  const marks = { mark: async () => Number(await redis.get(`${prefix}:mark`)) || null }
  const clean = async () => {
    const keys = await keysOf(redis, prefix)
    if (keys.length > 0) await redis.unlink(keys)
  }
  return {
    prefix,
    registry,
    queues,
    failures,
    archive,
    clean,
    check: async () => await tailCheck({ registry, queues, tail, marks, ends }, Date.now(), OPTIONS),
  }
}

/** The rules */

const count = ({ counts }: State, name: string, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by)
const keyOf = ({ archive }: Model, captureId: CaptureId): string => itemOf(archive, captureId).key
const itemOf = (archive: Archive, captureId: CaptureId) => {
  const item = archive.intake.flatMap(({ items }) => items).find((each) => each.captureId === captureId)
  if (!item) throw new Error('it was never taken in')
  return item
}
const envelopeOf = ({ archive, state }: Model, captureId: CaptureId): Envelope => ({
  v: 1,
  captureId,
  rev: 0,
  url: itemOf(archive, captureId).url,
  ref: state.places.get(captureId)?.ref ?? null,
})
function lastEnd({ archive }: Model, captureId: CaptureId): EndRecord | undefined {
  return archive.ends
    .filter((end) => end.captureId === captureId)
    .toSorted((a, b) => a.run - b.run)
    .at(-1)
}
/** The place that a fence speaks for, if its run is the one that counts. */
function fenced({ state }: Model, { captureId, stage, run }: Fence): Place | null {
  const place = state.places.get(captureId)
  return place && place.stage === stage && place.run === run && !place.dead ? place : null
}
function freeKey(model: Model, captureId: CaptureId): void {
  const key = keyOf(model, captureId)
  if (model.state.keys.get(key) === captureId) model.state.keys.delete(key)
}
function begin(model: Model, captureId: CaptureId): CaptureId | null {
  const { state } = model
  const key = keyOf(model, captureId)
  const holder = state.keys.get(key)
  state.known.add(captureId)
  count(state, 'accepted')
  if (holder !== undefined) {
    count(state, 'duplicate-run')
    return holder
  }
  state.places.set(captureId, { stage: FIRST, run: 0, dead: false, deaths: 0, deathRun: 0, ref: null, hasKey: true })
  state.keys.set(key, captureId)
  return null
}
function seen(model: Model, captureId: CaptureId, run: number): void {
  model.runs.set(captureId, Math.max(run, model.runs.get(captureId) ?? 0))
}
const at = () => new Date().toISOString()
function noteEnd(model: Model, { captureId, stage, run }: Fence, outcome: Outcome): void {
  model.archive.ends.push({
    v: 1,
    captureId,
    rev: 0,
    run,
    kind: 'end',
    at: at(),
    stage,
    outcome,
    ...(outcome === 'failed' && { code: 'internal', cause: 'why' }),
  })
}

/** Redis is away for longer than the few milliseconds by which runs that follow one another at once are ahead of its clock. */
const awhile = async () => await new Promise((resolve) => setTimeout(resolve, 20))

/** The commands */

type Run = (model: Model, real: Real) => Promise<void>
const named = (name: string, run: Run): fc.AsyncCommand<Model, Real> => ({
  check: () => true,
  run: async (model, real) => {
    await run(model, real)
    await agree(model, real)
  },
  toString: () => name,
})
const pick = fc.nat({ max: 1000 })
const often = fc.boolean()
const chosen = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)]
/** The last of them more often than the others: most workers are not frozen. */
const lately = <T>(all: readonly T[], at: number): T | undefined =>
  at % 4 === 0 ? chosen(all, at) : all.at(-1 - (at % 4 === 1 ? at % Math.min(5, Math.max(1, all.length)) : 0))
const captures = ({ archive }: Model) => archive.intake.flatMap(({ items }) => items.map(({ captureId }) => captureId))

/** `cut`: killed between the intake record and accept, or between accept and add. */
const take = fc
  .record({ address: fc.nat({ max: 4 }), twice: often, cut: fc.constantFrom('', '', '', 'accept', 'add') })
  .map(({ address, twice, cut }) =>
    named(`take ${address}${twice ? ' twice' : ''}${cut && `, cut before ${cut}`}`, async (model, { registry, queues }) => {
      const captureId = newCaptureId()
      const key = `key ${address}`
      model.archive.intake.push({
        v: 1,
        at: at(),
        source: 'test',
        items: [{ captureId, url: `https://news.example/${address}`, ref: null, key }],
      })
      if (cut === 'accept') return
      const duplicateOf = begin(model, captureId)
      const envelope = envelopeOf(model, captureId)
      const accept = async () => await registry.accept(envelope, { key, urlDigest: null })
      same(await accept(), duplicateOf ? { kind: 'duplicate', duplicateOf } : { kind: 'accepted' })
      if (twice) same(await accept(), { kind: 'known', duplicateOf })
      if (duplicateOf) noteEnd(model, { captureId, stage: FIRST, run: 0, attempt: 1, ms: 1 }, 'duplicate-run')
      else if (cut !== 'add') await queues.add(FIRST, envelope)
    }),
  )

const start = fc
  .record({ which: pick, stage: fc.constantFrom<StageName | ''>('', '', '', '', 'fetch', 'index'), twice: often })
  .map(({ which, stage, twice }) =>
    named(`start ${which} ${stage}${twice ? ' twice' : ''}`, async (model, { registry }) => {
      const captureId = lately(captures(model), which)
      if (!captureId) return
      for (let times = twice ? 2 : 1; times > 0; times -= 1) {
        const place = model.state.places.get(captureId)
        const where = stage || (place?.stage ?? FIRST)
        const started = await registry.start(captureId, where)
        same(started !== null, place !== undefined && !place.dead && place.stage === where)
        if (!started || !place) continue
        // No run comes twice, not even after a rollback.
        assert.ok(started.run > (model.runs.get(captureId) ?? 0))
        seen(model, captureId, started.run)
        place.run = started.run
        freeKey(model, captureId)
        model.fences.push({ captureId, stage: where, run: started.run, attempt: 1, ms: 1 })
      }
    }),
  )

/** `silent`: the record is kept, and the worker dies before its hand over. */
const handOver = fc
  .record({ which: pick, twice: often, silent: fc.constantFrom(true, false, false, false) })
  .map(({ which, twice, silent }) =>
    named(`hand over ${which}${twice ? ' twice' : ''}${silent ? ', cut before it' : ''}`, async (model, { registry, queues }) => {
      const fence = lately(model.fences, which)
      const kind = fence && KEEPS[fence.stage]
      const next = fence && stageAfter(fence.stage)
      if (!fence || !kind || !next) return
      const { captureId, run } = fence
      const reference: Reference = {
        store: 'file',
        segment: `${kind}-00000000-0000-7000-8000-000000000000.warc.gz`,
        offset: model.archive.records.length,
        length: 1,
      }
      model.archive.records.push({ kind, captureId, run, reference })
      if (silent) return
      const envelope = { ...envelopeOf(model, captureId), ref: reference }
      const place = fenced(model, fence)
      same(await registry.handOver(fence, next, envelope), place !== null)
      if (twice) same(await registry.handOver(fence, next, envelope), false)
      if (!place) return
      freeKey(model, captureId)
      Object.assign(place, { stage: next, ref: reference, deaths: 0, deathRun: place.deathRun, hasKey: false })
      await queues.add(next, envelope)
    }),
  )

const putBack = fc.record({ which: pick, twice: often }).map(({ which, twice }) =>
  named(`put back ${which}${twice ? ' twice' : ''}`, async (model, { registry }) => {
    const fence = lately(model.fences, which)
    if (!fence) return
    const wait = { spend: true, delayMs: 0, code: 'timeout' as const, reason: '' }
    const place = fenced(model, fence)
    same(await registry.putBack(fence, wait), place !== null)
    if (twice) same(await registry.putBack(fence, wait), false)
    if (!place) return
    place.run += 1
    seen(model, fence.captureId, place.run)
    const key = keyOf(model, fence.captureId)
    if (place.hasKey && !model.state.keys.has(key)) model.state.keys.set(key, fence.captureId)
  }),
)

const death = fc.record({ which: pick, twice: often }).map(({ which, twice }) =>
  named(`death ${which}${twice ? ' twice' : ''}`, async (model, { registry }) => {
    const fence = lately(model.fences, which)
    if (!fence) return
    const place = fenced(model, fence)
    if (place && place.deathRun !== fence.run) Object.assign(place, { deaths: place.deaths + 1, deathRun: fence.run })
    const deaths = place?.deaths ?? null
    same(await registry.death(fence, 'parser-died'), deaths)
    if (twice) same(await registry.death(fence, 'parser-died'), deaths)
  }),
)

/** `unrecorded`: killed before the end record is written. */
const end = fc
  .record({
    which: pick,
    outcome: fc.constantFrom<Outcome>('indexed', 'refused', 'failed', 'failed'),
    twice: often,
    unrecorded: fc.constantFrom(true, false, false, false),
  })
  .map(({ which, outcome, twice, unrecorded }) =>
    named(`end ${which} ${outcome}${twice ? ' twice' : ''}${unrecorded ? ', unrecorded' : ''}`, async (model, { registry }) => {
      const fence = lately(model.fences, which)
      if (!fence) return
      const facts = { outcome, ...(outcome === 'failed' && { code: 'internal' as const, reason: 'why' }) }
      const place = fenced(model, fence)
      same(await registry.end(fence, facts), place !== null)
      if (twice) same(await registry.end(fence, facts), false)
      if (!place) return
      count(model.state, outcome)
      freeKey(model, fence.captureId)
      if (outcome === 'failed') place.dead = true
      else model.state.places.delete(fence.captureId)
      if (!unrecorded) noteEnd(model, fence, outcome)
    }),
  )

const settle = fc.record({ which: pick, how: fc.constantFrom('retry', 'retry', 'dismiss'), twice: often }).map(({ which, how, twice }) =>
  named(`${how} ${which}${twice ? ' twice' : ''}`, async (model, { failures }) => {
    const dead = [...model.state.places].filter(([, place]) => place.dead).map(([captureId]) => captureId)
    const captureId = which % 4 === 0 ? chosen(captures(model), which) : chosen(dead, which)
    if (!captureId) return
    const place = model.state.places.get(captureId)
    const act = async () => await (how === 'retry' ? failures.retry(captureId) : failures.dismiss(captureId))
    if (!place?.dead) {
      await assert.rejects(act(), NotDeadError)
      return
    }
    const { state } = model
    const key = keyOf(model, captureId)
    const holder = how === 'retry' && place.stage === FIRST ? state.keys.get(key) : undefined
    same(await act(), { captureId, stage: place.stage, ...(holder && { duplicateOf: holder }) })
    if (twice) await assert.rejects(act(), NotDeadError)
    count(state, 'failed', -1)
    seen(model, captureId, place.run + 1)
    if (how === 'dismiss' || holder) {
      count(state, holder ? 'duplicate-run' : 'dismissed')
      state.places.delete(captureId)
      return
    }
    Object.assign(place, { dead: false, run: place.run + 1, deaths: 0 })
    if (place.stage === FIRST) state.keys.set(key, captureId)
  }),
)

const keep = fc.constant(
  named('tail check and reconcile', async (model, { check, registry, queues }) => {
    const unknown = captures(model).filter((captureId) => !model.state.known.has(captureId) && !model.state.places.has(captureId))
    const before = model.archive.ends.length
    same(await check(), unknown.length)
    const added = model.archive.ends.splice(before)
    for (const captureId of unknown) {
      const last = lastEnd(model, captureId)
      if (!last || last.kind === 'retry') {
        begin(model, captureId)
        continue
      }
      model.state.known.add(captureId)
      count(model.state, 'accepted')
      count(model.state, last.outcome ?? '')
      if (last.outcome === 'failed')
        model.state.places.set(captureId, { stage: FIRST, run: last.run, dead: true, deaths: 0, deathRun: 0, ref: null, hasKey: true })
    }
    model.archive.ends.push(...added)
    await reconcile(registry, queues, { untouchedMs: -3_600_000, againMs: 0 }, silent)
    for (const [captureId, { stage, dead }] of model.state.places) same(dead || (await queues.has(stage, captureId)), true)
  }),
)

const save = fc.constant(
  named('save', async (model, { prefix }) => {
    const keys = await keysOf(redis, prefix)
    const saved = keys.map(async (key) => ({ key, value: await redis.dumpBuffer(key), ttl: Math.max(0, await redis.pttl(key)) }))
    model.saved = { state: copy(model.state), keys: await Promise.all(saved) }
  }),
)

const rollBack = fc.constant(
  named('Redis comes back older', async (model, { prefix, clean }) => {
    if (!model.saved) return
    await awhile()
    await clean()
    await Promise.all(model.saved.keys.map(async ({ key, value, ttl }) => await redis.restore(key, ttl, value)))
    model.state = copy(model.saved.state)
    same((await keysOf(redis, prefix)).length, model.saved.keys.length)
  }),
)

const wipe = fc.constant(
  named('Redis is wiped and recovered', async (model, { prefix, archive, clean }) => {
    if (model.archive.intake.length === 0) return
    await awhile()
    await clean()
    const epochStore = { read: async () => 'epoch-1', write: async () => 'exists' as const, hasSegments: async () => true }
    await recover({ redis, prefix, archive, epochStore, apply: true, onProgress: () => undefined, log: silent })
    model.saved = null
    model.state = empty()
    const { state } = model
    for (const captureId of captures(model).toSorted()) {
      const last = lastEnd(model, captureId)
      const outcome = last?.kind === 'dismissal' ? 'dismissed' : last?.kind === 'end' ? last.outcome : undefined
      state.known.add(captureId)
      count(state, 'accepted')
      if (outcome) count(state, outcome)
      if (outcome && outcome !== 'failed') continue
      const place = placeOf(model, captureId, outcome ? last?.stage : undefined)
      const run = Number(await redis.hget(`${prefix}:entry:${captureId}`, 'run'))
      if (!outcome) assert.ok(run >= (last?.run ?? 0) + 1)
      state.places.set(captureId, { ...place, run, dead: outcome !== undefined, deaths: 0, deathRun: 0 })
      if (!outcome && place.stage === FIRST && !state.keys.has(keyOf(model, captureId))) state.keys.set(keyOf(model, captureId), captureId)
      seen(model, captureId, run)
    }
  }),
)

/** After its last record; a dead letter at the stage of its end, if the record that this stage reads is there. */
function placeOf({ archive }: Model, captureId: CaptureId, failedAt?: StageName): Pick<Place, 'stage' | 'ref' | 'hasKey'> {
  const records = archive.records.filter((record) => record.captureId === captureId)
  const last = (kind?: Kind) =>
    records
      .filter((record) => !kind || record.kind === kind)
      .toSorted((a, b) => a.run - b.run)
      .at(-1)
  if (failedAt === FIRST) return { stage: FIRST, ref: null, hasKey: true }
  const read = failedAt && last(READS[failedAt])
  const found = read ?? last()
  if (!found) return { stage: FIRST, ref: null, hasKey: true }
  return { stage: STAGE_AFTER[found.kind], ref: found.reference, hasKey: false }
}

/** What must hold after every command. */
async function agree({ state }: Model, { prefix, registry }: Real): Promise<void> {
  const { inFlight, dead, counts } = await registry.totals()
  const places = [...state.places]
  same(
    { inFlight, dead },
    {
      inFlight: places.filter(([, place]) => !place.dead).length,
      dead: places.filter(([, place]) => place.dead).length,
    },
  )
  for (const name of ['accepted', ...OUTCOMES]) same([name, counts.get(name) ?? 0], [name, state.counts.get(name) ?? 0])
  const outcomes = OUTCOMES.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0)
  same(counts.get('accepted') ?? 0, inFlight + outcomes)
  same(counts.get('failed') ?? 0, dead)
  const keys = await keysOf(redis, prefix)
  const under = (family: string) =>
    keys.flatMap((key) => (key.startsWith(`${prefix}:${family}:`) ? [key.slice(prefix.length + family.length + 2)] : []))
  same(under('entry'), places.map(([captureId]) => captureId).toSorted())
  const held = await Promise.all(under('key').map(async (key) => [key, await redis.get(`${prefix}:key:${key}`)] as const))
  same(new Map(held), new Map(state.keys))
  const entries = await Promise.all(
    places.map(async ([captureId]) => await redis.hmget(`${prefix}:entry:${captureId}`, 'stage', 'run', 'dead')),
  )
  same(
    entries,
    places.map(([, { stage, run, dead: isDead }]) => [stage, String(run), isDead ? '1' : null]),
  )
}

/** In the end everything that was taken in comes to one outcome, whatever happened to it. */
async function comeToAnEnd(model: Model, real: Real): Promise<void> {
  const { registry, failures, check } = real
  await check()
  await failures.retryAll()
  for (;;) {
    const entries = await registry.untouched(-3_600_000, 1000)
    if (entries.length === 0) break
    for (const { captureId, stage, envelope } of entries) {
      const started = await registry.start(captureId, stage)
      const fence = { captureId, stage, run: started?.run ?? 0, attempt: 1, ms: 1 }
      const next = stageAfter(stage)
      same(next ? await registry.handOver(fence, next, envelope) : await registry.end(fence, { outcome: 'indexed' }), true)
    }
  }
  const { inFlight, dead, counts } = await registry.totals()
  const outcomes = OUTCOMES.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0)
  same(
    { inFlight, dead, accepted: counts.get('accepted') ?? 0, outcomes },
    {
      inFlight: 0,
      dead: 0,
      accepted: captures(model).length,
      outcomes: captures(model).length,
    },
  )
}

test('whatever happens in whatever order, the registry is what the rules say', { timeout: 120_000 }, async () => {
  onTestFinished(() => redis.disconnect())
  const seed = Number(process.env['MODEL_SEED'] ?? randomInt(2 ** 31))
  const seconds = Number(process.env['MODEL_SECONDS'] ?? 20)
  process.stderr.write(`registry-model: MODEL_SEED=${seed}\n`)
  let runs = 0
  const commands = fc.commands(
    [
      take,
      take,
      ...Array<typeof start>(5).fill(start),
      ...Array<typeof handOver>(7).fill(handOver),
      putBack,
      death,
      end,
      end,
      settle,
      keep,
      save,
      rollBack,
      wipe,
    ],
    { maxCommands: 80, size: 'max' },
  )
  const property = fc.asyncProperty(commands, async (sequence) => {
    runs += 1
    const model = emptyModel()
    const real = await startReal(model)
    try {
      await fc.asyncModelRun(() => ({ model, real }), sequence)
      await comeToAnEnd(model, real)
    } finally {
      await real.clean()
    }
  })
  await fc.assert(property, {
    seed,
    numRuns: 100_000,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
    endOnFailure: false,
  })
  process.stderr.write(`registry-model: ${runs} runs\n`)
  expect(runs).toBeGreaterThan(10)
})
