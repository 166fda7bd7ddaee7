import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createArchive, createIntakeTail, hasSegments, readEpoch, writeEpoch } from '@copydesk/archive'
import { type CaptureId, type IntakeRecord, OUTCOMES, type Outcome } from '@copydesk/contracts'
import { RetryableError } from '@copydesk/pipeline'
import {
  agreeEpoch,
  createEpochGate,
  createIntake,
  type IntakeArchive,
  createLease,
  IntakeClosedError,
  reconcile,
  tailCheck,
  UndecidedError,
} from '@copydesk/queue'
import { expect, onTestFinished, test } from 'vitest'
import { fetchEnvelope, redisPart, silent } from '../support/redis.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'copydesk-keeper-'))
  onTestFinished(async () => await rm(path, { recursive: true, force: true }))
  return path
}

const openGate = { epoch: () => 'epoch-1', reason: () => null, onChange() {}, start: async () => undefined, close() {} }

async function system() {
  const part = await redisPart()
  const path = await folder()
  const archive = createArchive({ folder: path, log: silent })
  onTestFinished(async () => await archive.close())
  const { registry, queues, redis, prefix } = part
  const intake = createIntake({ registry, queues, archive, gate: openGate, log: silent })
  const tail = createIntakeTail(path)
  const marks = {
    mark: async () => {
      const mark = await redis.get(`${prefix}:mark`)
      return mark === null ? null : Number(mark)
    },
  }
  const check = async (options = { settleMs: 0, overlapMs: 600_000, knownMs: 1_200_000 }, nowMs = Date.now() + 1) =>
    await tailCheck({ registry, queues, tail, marks, ends: archive }, nowMs, options)
  const sum = async () => {
    const { inFlight, counts } = await registry.totals()
    return { accepted: counts.get('accepted') ?? 0, inFlight, outcomes: OUTCOMES.reduce((all, name) => all + (counts.get(name) ?? 0), 0) }
  }
  /** Redis as it was before it learned anything. */
  const wipe = async () => {
    const keys = await redis.keys(`${prefix.replaceAll('{', '\\{')}:*`)
    await redis.del(keys)
    await redis.set(`${prefix}:epoch`, 'epoch-1')
  }
  const ends = async (captureIds: CaptureId[]) => await tail.ends(captureIds, 0)
  return { ...part, archive, intake, check, sum, wipe, marks, ends }
}

test('the reconciler adds the job of an entry that has none, and leaves one that has its job', async () => {
  const { registry, queues } = await redisPart()
  const [without, having] = [fetchEnvelope(), fetchEnvelope()]
  for (const envelope of [without, having]) await registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
  await queues.add('fetch', having)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(await reconcile(registry, queues, { untouchedMs: 20, againMs: 60_000 }, silent)).toBe(1)
  expect(await queues.has('fetch', without.captureId)).toBe(true)
  expect((await queues.counts()).fetch.waiting).toBe(2)
})

test('a job that cannot be added does not keep the others from theirs', async () => {
  const { registry, queues } = await redisPart()
  const [bad, good] = [fetchEnvelope(), fetchEnvelope()]
  for (const envelope of [bad, good]) await registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
  const failing: typeof queues = {
    ...queues,
    add: async (stage, envelope) => {
      if (envelope.captureId === bad.captureId) throw new Error('too large')
      await queues.add(stage, envelope)
    },
  }
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(await reconcile(registry, failing, { untouchedMs: 20, againMs: 60_000 }, silent)).toBe(1)
  expect(await queues.has('fetch', good.captureId)).toBe(true)
})

test('an entry that has its job is looked at again only later', async () => {
  const { redis, prefix, registry, queues } = await redisPart()
  const envelope = fetchEnvelope()
  await registry.accept(envelope, { key: 'k', urlDigest: null })
  await queues.add('fetch', envelope)
  await new Promise((resolve) => setTimeout(resolve, 30))
  await reconcile(registry, queues, { untouchedMs: 20, againMs: 60_000 }, silent)
  expect(Number(await redis.zscore(`${prefix}:flight`, envelope.captureId))).toBeGreaterThan(Date.now() + 50_000)
})

test('work with the longest address and the longest hints gets its job', async () => {
  const at = await system()
  const hints = { title: '漢'.repeat(300), author: '字'.repeat(200), tags: Array.from({ length: 20 }, () => '語'.repeat(100)) }
  const url = `https://news.example/a?q=${'\\'.repeat(4000)}`
  const taken = await at.intake.take([{ url, hints }, { url: 'https://news.example/b' }], 'test')
  for (const { captureId } of taken) expect(await at.queues.has('fetch', captureId)).toBe(true)
})

test('while Redis does not answer nothing is written', async () => {
  const at = await system()
  const { registry, queues } = at
  const written: unknown[] = []
  const archive = { ...at.archive, keepIntake: async (record: IntakeRecord) => (written.push(record), await at.archive.keepIntake(record)) }
  const away = createIntake({
    registry: { ...registry, probe: async () => await Promise.reject(new Error('away')) },
    queues,
    archive,
    gate: openGate,
    log: silent,
  })
  await expect(away.take([{ url: 'https://news.example/a' }], 'test')).rejects.toThrow(IntakeClosedError)
  expect(written).toEqual([])
})

test('an archive that cannot be written closes intake, or leaves it undecided where the record may stand in it', async () => {
  const at = await system()
  const { registry, queues } = at
  const full = async () => await Promise.reject(new RetryableError('archive-unavailable', 'the disk is full'))
  const intake = (archive: IntakeArchive) => createIntake({ registry, queues, archive, gate: openGate, log: silent })
  const bytes = { body: Buffer.from('x'), contentType: null }
  await expect(intake({ ...at.archive, keepCapture: full }).take([{ url: null, bytes }], 'test')).rejects.toThrow(IntakeClosedError)
  const undecided = intake({ ...at.archive, keepIntake: full }).take([{ url: 'https://news.example/a' }], 'test')
  await expect(undecided).rejects.toThrow(UndecidedError)
  await expect(undecided).rejects.toThrow(/disk is full/)
})

test('the reconciler leaves alone what was touched a moment ago', async () => {
  const { registry, queues } = await redisPart()
  const envelope = fetchEnvelope()
  await registry.accept(envelope, { key: 'k', urlDigest: null })
  expect(await reconcile(registry, queues, { untouchedMs: 30_000, againMs: 60_000 }, silent)).toBe(0)
})

test('what stands in the intake and Redis does not know is accepted once, with its job', async () => {
  const { archive, check, sum, queues } = await system()
  const { captureId, url } = fetchEnvelope()
  const item = { captureId, url, ref: null, key: 'k' }
  await archive.keepIntake({ v: 1, at: new Date().toISOString(), source: 'api', items: [item] })
  expect(await check()).toBe(1)
  expect(await check()).toBe(0)
  expect(await queues.has('fetch', captureId)).toBe(true)
  expect(await sum()).toEqual({ accepted: 1, inFlight: 1, outcomes: 0 })
})

test('an intake record that is too young is left to the one who wrote it', async () => {
  const { archive, check } = await system()
  const { captureId, url } = fetchEnvelope()
  await archive.keepIntake({ v: 1, at: new Date().toISOString(), source: 'api', items: [{ captureId, url, ref: null, key: 'k' }] })
  expect(await check({ settleMs: 30_000, overlapMs: 600_000, knownMs: 1_200_000 })).toBe(0)
})

test('after a Redis that came back older, what has ended is counted, what failed is a dead letter, and the rest goes on', async () => {
  const at = await system()
  const taken = await at.intake.take(
    ['a', 'b', 'c'].map((name) => ({ url: `https://news.example/${name}` })),
    'test',
  )
  const outcomes: Outcome[] = ['indexed', 'failed']
  for (const [index, outcome] of outcomes.entries()) {
    const captureId = taken[index]?.captureId
    if (!captureId) throw new Error('not taken')
    const start = await at.registry.start(captureId, 'fetch')
    const fence = { captureId, stage: 'fetch' as const, run: start?.run ?? 0, attempt: 1, ms: 1 }
    await at.registry.end(fence, { outcome })
    at.archive.end({
      v: 1,
      captureId,
      rev: 0,
      run: fence.run,
      kind: 'end',
      at: new Date().toISOString(),
      stage: 'fetch',
      outcome,
      ...(outcome === 'failed' && { code: 'tls' as const }),
    })
  }
  await at.archive.flush()
  await at.wipe()
  expect(await at.check()).toBe(3)
  const { inFlight, dead, counts } = await at.registry.totals()
  expect([inFlight, dead, counts.get('accepted'), counts.get('indexed'), counts.get('failed')]).toEqual([1, 1, 3, 1, 1])
  const failed = taken[1]?.captureId
  expect(failed && (await at.registry.retry(failed, null))).toMatchObject({ stage: 'fetch' })
})

test('a retry takes an end back: such a capture goes on', async () => {
  const at = await system()
  const [taken] = await at.intake.take([{ url: 'https://news.example/a' }], 'test')
  if (!taken) throw new Error('not taken')
  const record = { v: 1 as const, captureId: taken.captureId, rev: 0, at: new Date().toISOString(), stage: 'fetch' as const }
  at.archive.end({ ...record, run: 1, kind: 'end', outcome: 'failed', code: 'tls' })
  at.archive.end({ ...record, run: 2, kind: 'retry' })
  await at.archive.flush()
  await at.wipe()
  expect(await at.check()).toBe(1)
  expect(await at.sum()).toEqual({ accepted: 1, inFlight: 1, outcomes: 0 })
})

test('a repeat that the tail check finds is counted as one, and its end is recorded', async () => {
  const at = await system()
  const [first, second] = [fetchEnvelope(), fetchEnvelope()]
  const items = [first, second].map(({ captureId, url }) => ({ captureId, url, ref: null, key: 'same' }))
  await at.archive.keepIntake({ v: 1, at: new Date().toISOString(), source: 'api', items })
  expect(await at.check()).toBe(2)
  expect(await at.sum()).toEqual({ accepted: 2, inFlight: 1, outcomes: 1 })
  await at.archive.flush()
  const ends = await at.ends([second.captureId])
  expect(ends.get(second.captureId)).toMatchObject({ outcome: 'duplicate-run', duplicateOf: first.captureId })
})

test('a capture stays known until the mark is well past it', async () => {
  const at = await system()
  const [taken] = await at.intake.take([{ url: 'https://news.example/a' }], 'test')
  if (!taken) throw new Error('not taken')
  const start = await at.registry.start(taken.captureId, 'fetch')
  await at.registry.end({ captureId: taken.captureId, stage: 'fetch', run: start?.run ?? 0, attempt: 1, ms: 1 }, { outcome: 'indexed' })
  // Its trail is gone, its end was never recorded: only `known` keeps it from being accepted again.
  await at.redis.del(`${at.prefix}:trail:${taken.captureId}`)
  expect(await at.check()).toBe(0)
  expect(await at.marks.mark()).toBeGreaterThan(0)
  const soon = { settleMs: 0, overlapMs: 10, knownMs: 20 }
  expect(await at.check(soon, Date.now() + 60_000)).toBe(0)
  expect(await at.redis.zcard(`${at.prefix}:known`)).toBe(0)
  expect(await at.check(soon, Date.now() + 60_001)).toBe(0)
  expect(await at.sum()).toEqual({ accepted: 1, inFlight: 0, outcomes: 1 })
})

test('bytes in hand go straight to clean, and the same bytes of the same address wait only once', async () => {
  const at = await system()
  const bytes = { body: Buffer.from('<p>Hello</p>'), contentType: 'text/html' }
  const [first, second, other] = await at.intake.take(
    [
      { url: 'https://news.example/a', bytes },
      { url: 'https://www.news.example/a?utm_source=x', bytes },
      { url: 'https://news.example/b', bytes },
    ],
    'test',
  )
  expect(second?.duplicateOf).toBe(first?.captureId)
  expect(other?.duplicateOf).toBeUndefined()
  expect((await at.queues.counts()).clean.waiting).toBe(2)
  const [fetched] = await at.intake.take([{ url: 'https://news.example/a' }], 'test')
  expect(fetched?.duplicateOf).toBeUndefined()
})

test('intake is closed while Redis and archive do not belong together, and undecided where Redis goes away in the middle', async () => {
  const at = await system()
  const { registry, queues, archive } = at
  const lost = { ...openGate, epoch: () => null, reason: () => 'Redis is empty' }
  const closed = createIntake({ registry, queues, archive, gate: lost, log: silent })
  await expect(closed.take([{ url: 'https://news.example/a' }], 'test')).rejects.toThrow(IntakeClosedError)
  const broken = { ...registry, accept: async () => await Promise.reject(new Error('connection is closed')) }
  const cut = createIntake({ registry: broken, queues, archive, gate: openGate, log: silent })
  await expect(cut.take([{ url: 'https://news.example/a' }], 'test')).rejects.toThrow(UndecidedError)
  expect(await at.check()).toBe(1)
})

test('of two processes one holds the lease, and the other takes it when it is given up', async () => {
  const { redis, prefix } = await redisPart()
  const [one, two] = [0, 1].map(() => createLease(redis, { prefix, name: 'keeper', ms: 60_000 }))
  expect(await one?.hold()).toBe(true)
  expect(await one?.hold()).toBe(true)
  expect(await two?.hold()).toBe(false)
  await two?.release()
  expect(await two?.hold()).toBe(false)
  await one?.release()
  expect(await two?.hold()).toBe(true)
})

test('a holder that lost its lease neither renews nor releases that of another', async () => {
  const { redis, prefix } = await redisPart()
  const frozen = createLease(redis, { prefix, name: 'keeper', ms: 30 })
  const other = createLease(redis, { prefix, name: 'keeper', ms: 60_000 })
  expect(await frozen.hold()).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(await other.hold()).toBe(true)
  expect(await frozen.hold()).toBe(false)
  await frozen.release()
  expect(await frozen.hold()).toBe(false)
  expect(await other.hold()).toBe(true)
  expect(await redis.pttl(`${prefix}:lease:keeper`)).toBeGreaterThan(30_000)
})

test('what recover leaves to the reconciler gets its jobs, in the order of captures, thousands in a few seconds', async () => {
  const { redis, prefix, registry, queues } = await redisPart()
  const envelopes = Array.from({ length: 2000 }, () => fetchEnvelope())
  await Promise.all(envelopes.map(async (envelope) => await registry.accept(envelope, { key: envelope.captureId, urlDigest: null })))
  await redis.zadd(`${prefix}:flight`, ...envelopes.flatMap(({ captureId }) => [0, captureId]))
  const before = Date.now()
  expect(await reconcile(registry, queues, { untouchedMs: 30_000, againMs: 60_000 }, silent)).toBe(2000)
  expect(Date.now() - before).toBeLessThan(10_000)
  const waiting = await redis.lrange(`${prefix}:fetch:wait`, 0, -1)
  expect(waiting.toReversed()).toEqual(envelopes.map(({ captureId }) => captureId).toSorted())
})

async function epochs() {
  const { redis, prefix } = await redisPart()
  await redis.del(`${prefix}:epoch`)
  const path = await folder()
  const store = {
    read: async () => await readEpoch(path),
    write: async (epoch: string) => await writeEpoch(path, epoch),
    hasSegments: async () => await hasSegments(path),
  }
  const ask = async () => await agreeEpoch(redis, store, prefix)
  const segment = async () => {
    const archive = createArchive({ folder: path, log: silent })
    await archive.keepIntake({ v: 1, at: new Date().toISOString(), source: 'test', items: [] })
    await archive.close()
  }
  return { redis, prefix, store, ask, segment }
}

test('the first start makes the epoch, every later one agrees, and many at once agree on one', async () => {
  const { ask, store } = await epochs()
  const verdicts = await Promise.all(Array.from({ length: 8 }, ask))
  const kinds = new Set(verdicts.map((verdict) => JSON.stringify(verdict)))
  expect(kinds.size).toBe(1)
  expect(verdicts[0]).toEqual({ kind: 'agreed', epoch: await store.read() })
  expect(await ask()).toEqual(verdicts[0])
})

test('a kill between Redis and the archive is made good: an archive without segments adopts the epoch of a Redis that accepted nothing', async () => {
  const { ask, redis, prefix } = await epochs()
  await redis.set(`${prefix}:epoch`, 'half-made')
  expect(await ask()).toEqual({ kind: 'agreed', epoch: 'half-made' })
})

test('an emptied Redis is a loss, and so is another one', async () => {
  const { ask, redis, prefix, segment, store } = await epochs()
  await ask()
  await redis.del(`${prefix}:epoch`)
  // Beside an archive that holds nothing there is nothing to lose.
  expect(await ask()).toEqual({ kind: 'agreed', epoch: await store.read() })
  await segment()
  await redis.del(`${prefix}:epoch`)
  expect(await ask()).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/Redis is empty/) })
  await redis.set(`${prefix}:epoch`, 'another')
  expect(await ask()).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/another one/) })
})

test('segments without an epoch are a loss, and so is a Redis that accepted work beside an empty archive', async () => {
  const foreign = await epochs()
  await foreign.segment()
  expect(await foreign.ask()).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/knows nothing/) })
  const gone = await epochs()
  await gone.redis.set(`${gone.prefix}:epoch`, 'old')
  await gone.redis.hset(`${gone.prefix}:counts`, 'accepted', 3)
  expect(await gone.ask()).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/archive is empty/) })
})

test('what was agreed stands while the archive cannot be read', async () => {
  const { redis, prefix, store } = await epochs()
  let broken = false
  const flaky = { ...store, read: async () => (broken ? await Promise.reject(new Error('unreadable')) : await store.read()) }
  const gate = createEpochGate({ redis, store: flaky, prefix, log: silent, everyMs: 20 })
  await gate.start()
  const agreed = gate.epoch()
  expect(agreed).toEqual(expect.any(String))
  broken = true
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect([gate.epoch(), gate.reason()]).toEqual([agreed, null])
  gate.close()
})
