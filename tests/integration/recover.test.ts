import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createArchive, createIntakeTail, createLedgerReader, hasSegments, readEpoch, writeEpoch } from '@copydesk/archive'
import {
  CaptureId,
  type Code,
  type EndRecord,
  OUTCOMES,
  type Outcome,
  type RecordStamp,
  type StageName,
  stageAfter,
} from '@copydesk/contracts'
import { armFailpoints, bytesPage, type Failpoint, type FailpointSide } from '@copydesk/pipeline'
import {
  createFailures,
  createIntake,
  createViews,
  type IntakeRequest,
  type LedgerArchive,
  reconcile,
  recover,
  RecoverError,
  type RecoverOptions,
  tailCheck,
} from '@copydesk/queue'
import { expect, onTestFinished, test } from 'vitest'
import { keysOf, newCaptureId, openGate, redisPart, silent } from '../support/redis.ts'

type Kept = 'raw' | 'clean' | 'article'
const KEEPS: Partial<Record<StageName, Kept>> = { fetch: 'raw', clean: 'clean', 'extract-metadata': 'article' }

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'copydesk-recover-'))
  onTestFinished(async () => await rm(path, { recursive: true, force: true }))
  return path
}

/** Redis and a real archive that belong together, with work taken in and done by hand, one turn at a time. */
async function system() {
  const part = await redisPart()
  const { redis, redisUrl, registry, queues, prefix } = part
  const path = await folder()
  const archive = createArchive({ folder: path, log: silent })
  onTestFinished(async () => await archive.close())
  await writeEpoch(path, 'epoch-1')
  const epochStore = {
    read: async () => await readEpoch(path),
    write: async (epoch: string) => await writeEpoch(path, epoch),
    hasSegments: async () => await hasSegments(path),
  }
  const views = createViews({ redis, registry, queues, gate: openGate, prefix })
  const failures = createFailures({ registry, queues, ends: archive, views })
  const intake = createIntake({ registry, queues, archive, gate: openGate, log: silent })
  const tail = createIntakeTail(path)
  const marks = { mark: async () => ((await redis.get(`${prefix}:mark`)) === null ? null : Number(await redis.get(`${prefix}:mark`))) }
  /** What stands in the index: how often each capture was written. */
  const documents = new Map<CaptureId, number>()

  const take = async (requests: IntakeRequest[]) => (await intake.take(requests, 'test')).map(({ captureId }) => captureId)
  const fetches = async (count: number, from = 0) =>
    await take(Array.from({ length: count }, (_, at) => ({ url: `https://news.example/${from + at}` })))

  async function start(captureId: CaptureId, stage: StageName) {
    const started = await registry.start(captureId, stage)
    return started && { started, fence: { captureId, stage, run: started.run, attempt: started.attempt, ms: 1 } }
  }
  type Fence = NonNullable<Awaited<ReturnType<typeof start>>>['fence']

  async function keep(fence: Fence) {
    const stamp: RecordStamp = { v: 1, captureId: fence.captureId, rev: 0, run: fence.run }
    const kind = KEEPS[fence.stage]
    if (kind === undefined) throw new Error('index keeps nothing')
    if (kind !== 'raw') return await archive.keepRecord(kind, stamp, { by: fence.run })
    return await archive.keepCapture(
      stamp,
      bytesPage({ body: Buffer.from('<p>page</p>'), contentType: 'text/html', url: null, at: new Date() }),
    )
  }

  async function end(fence: Fence, outcome: Outcome, code?: Code): Promise<boolean> {
    const { captureId, stage, run } = fence
    if (!(await registry.end(fence, { outcome, code, reason: code && `because of ${code}` }))) return false
    const record: EndRecord = { v: 1, captureId, rev: 0, run, kind: 'end', at: new Date().toISOString(), stage, outcome }
    archive.end({ ...record, ...(code && { code, cause: `because of ${code}` }) })
    return true
  }

  /** One job, from its start to its hand over or end. */
  async function turn(captureId: CaptureId, stage: StageName): Promise<void> {
    const taken = await start(captureId, stage)
    if (!taken) return
    const { fence, started } = taken
    if (stage === 'index') {
      documents.set(captureId, (documents.get(captureId) ?? 0) + 1)
      await end(fence, 'indexed')
      return
    }
    const ref = await keep(fence)
    const next = stageAfter(stage)
    if (next) await registry.handOver(fence, next, { ...started.envelope, ref })
  }

  /** Everything that is under way, to its end. */
  async function drain(): Promise<void> {
    for (;;) {
      const entries = await registry.untouched(-3_600_000, 1000)
      if (entries.length === 0) return
      for (const { captureId, stage } of entries) await turn(captureId, stage)
    }
  }

  const sum = async () => {
    const { inFlight, dead, counts } = await registry.totals()
    const outcomes = OUTCOMES.reduce((all, name) => all + (counts.get(name) ?? 0), 0)
    expect(counts.get('accepted') ?? 0).toBe(inFlight + outcomes)
    expect(counts.get('failed') ?? 0).toBe(dead)
    return { accepted: counts.get('accepted') ?? 0, inFlight, outcomes, count: (name: Outcome) => counts.get(name) ?? 0 }
  }
  const wipe = async () => {
    await archive.flush()
    const keys = await keysOf(redis, prefix)
    if (keys.length > 0) await redis.del(keys)
  }
  const ledger = createLedgerReader(path)
  const again = async (options: Partial<RecoverOptions> = {}) =>
    await recover({ redis, prefix, archive: ledger, epochStore, apply: true, onProgress: () => undefined, log: silent, ...options })
  const check = async () => await tailCheck({ registry, queues, tail, marks, ends: archive }, Date.now() + 1, SOON)
  return {
    ...part,
    redisUrl,
    path,
    archive,
    epochStore,
    views,
    failures,
    intake,
    documents,
    take,
    fetches,
    start,
    keep,
    end,
    turn,
    drain,
    sum,
    wipe,
    ledger,
    again,
    check,
  }
}
const SOON = { settleMs: 0, overlapMs: 600_000, knownMs: 1_200_000 }

/** Work in every state there is; answers what became of each capture. */
async function mixedWork(at: Awaited<ReturnType<typeof system>>) {
  const ids = await at.fetches(40)
  const inHand = await at.take(
    [1, 2, 3].map((page) => ({
      url: page === 3 ? null : `https://news.example/hand/${page}`,
      bytes: { body: Buffer.from(`page ${page}`), contentType: null },
    })),
  )
  const [repeat] = await at.take([{ url: 'https://news.example/39' }])
  const stages: StageName[] = ['fetch', 'clean', 'extract-metadata', 'index']
  for (const [index, captureId] of ids.slice(0, 30).entries())
    for (const stage of stages.slice(0, index % 5)) await at.turn(captureId, stage)
  // Killed in the middle: started, and kept but not handed over.
  const started = ids[30] as CaptureId
  await at.start(started, 'fetch')
  const kept = await at.start(ids[31] as CaptureId, 'fetch')
  if (kept) await at.keep(kept.fence)
  const fail = async (captureId: CaptureId, outcome: Outcome, code: Code) => {
    const taken = await at.start(captureId, 'fetch')
    if (taken) await at.end(taken.fence, outcome, code)
  }
  await fail(ids[32] as CaptureId, 'refused', 'gone')
  for (const index of [33, 34, 35]) await fail(ids[index] as CaptureId, 'failed', 'tls')
  await at.failures.dismiss(ids[34] as CaptureId)
  await at.failures.retry(ids[35] as CaptureId)
  await at.turn(inHand[1] as CaptureId, 'clean')
  return { ids, inHand, repeat: repeat as CaptureId, all: 44 }
}

test('a Redis that was wiped is made anew, and everything goes on to one outcome', async () => {
  const at = await system()
  const { ids, inHand, repeat, all } = await mixedWork(at)
  const before = await at.sum()
  const stagesBefore = await stagesOf(at)
  await at.wipe()
  const result = await at.again()
  const { count, ...after } = await at.sum()
  expect(after).toEqual({ accepted: before.accepted, inFlight: before.inFlight, outcomes: before.outcomes })
  expect(OUTCOMES.map(count)).toEqual(OUTCOMES.map(before.count))
  expect(result).toMatchObject({
    captures: all,
    byOutcome: { indexed: 6, refused: 1, failed: 1, dismissed: 1, 'duplicate-run': 1 },
    deadLetters: 1,
  })
  expect(Object.values(result.inFlight).reduce((sum, each) => sum + each, 0)).toBe(before.inFlight)
  // What was kept and not handed over is handed over now: its record is the last one.
  expect(await stagesOf(at)).toEqual({ ...stagesBefore, [ids[31] as string]: 'clean' })
  expect(await reconcile(at.registry, at.queues, { untouchedMs: 30_000, againMs: 60_000 }, silent)).toBe(before.inFlight)
  expect(await at.failures.list({ size: 10 })).toMatchObject({
    total: 1,
    failures: [{ captureId: ids[33], code: 'tls', cause: 'because of tls', stage: 'fetch' }],
  })
  await at.failures.retryAll()
  await at.drain()
  expect(await at.sum()).toMatchObject({ accepted: all, inFlight: 0, outcomes: all })
  const indexed = [...ids.filter((_, index) => index !== 32 && index !== 34), ...inHand]
  expect([...at.documents.keys()].toSorted()).toEqual(indexed.toSorted())
  expect([...at.documents.values()].every((written) => written === 1)).toBe(true)
  expect((await at.views.capture(repeat))?.duplicateOf).toBe(ids[39])
})

async function stagesOf({ registry }: Awaited<ReturnType<typeof system>>): Promise<Record<string, StageName>> {
  return Object.fromEntries((await registry.untouched(-3_600_000, 1000)).map(({ captureId, stage }) => [captureId, stage]))
}

test('what has ended can be traced, by capture and by address, and is known', async () => {
  const at = await system()
  const [done, refused] = await at.fetches(2)
  for (const stage of ['fetch', 'clean', 'extract-metadata', 'index'] as const) await at.turn(done as CaptureId, stage)
  const taken = await at.start(refused as CaptureId, 'fetch')
  if (taken) await at.end(taken.fence, 'refused', 'gone')
  const [again] = await at.take([{ url: 'https://news.example/1' }])
  await at.wipe()
  await at.again()
  expect(await at.views.capture(done as CaptureId)).toMatchObject({ url: 'https://news.example/0', outcome: 'indexed' })
  expect(await at.views.capture(refused as CaptureId)).toMatchObject({ outcome: 'refused', code: 'gone', reason: 'because of gone' })
  const { captures } = await at.views.url('https://www.news.example/1#top')
  expect(captures.map(({ captureId, stage }) => [captureId, stage])).toEqual([
    [again, 'fetch'],
    [refused, undefined],
  ])
  expect(await at.redis.ttl(`${at.prefix}:trail:${done}`)).toBeGreaterThan(24 * 3600)
  expect(await at.redis.ttl(`${at.prefix}:trail:${again}`)).toBe(-1)
  // The tail check reads ten minutes before the mark: it takes none of them for new.
  await at.redis.del(`${at.prefix}:trail:${done}`, `${at.prefix}:trail:${refused}`)
  expect(await at.check()).toBe(0)
})

test('trails are restored up to their caps, the newest ones', async () => {
  const at = await system()
  const ids = await at.fetches(5)
  for (const captureId of ids) for (const stage of ['fetch', 'clean', 'extract-metadata', 'index'] as const) await at.turn(captureId, stage)
  await at.wipe()
  await at.again({ caps: { trailSeconds: 3600, trails: 2, urls: 1, urlSeconds: 3600 } })
  const kept = await Promise.all(ids.map(async (id) => await at.redis.exists(`${at.prefix}:trail:${id}`)))
  expect(kept).toEqual([0, 0, 0, 1, 1])
  expect(await at.redis.lrange(`${at.prefix}:trails`, 0, -1)).toEqual(ids.slice(3))
  expect(await at.redis.zcard(`${at.prefix}:urls`)).toBe(1)
  expect((await at.sum()).accepted).toBe(5)
})

test('of two captures with one key the older one holds it, and a third is its repeat', async () => {
  const at = await system()
  const url = 'https://news.example/a'
  const [older] = await at.take([{ url }])
  await at.start(older as CaptureId, 'fetch')
  const [younger] = await at.take([{ url }])
  await at.wipe()
  await at.again()
  const [third] = await at.intake.take([{ url }], 'test')
  expect(third?.duplicateOf).toBe(older)
  await at.start(older as CaptureId, 'fetch')
  const [fourth] = await at.intake.take([{ url }], 'test')
  expect(fourth?.duplicateOf).toBeUndefined()
  await at.drain()
  expect(await at.sum()).toMatchObject({ accepted: 4, inFlight: 0 })
  expect(at.documents.get(younger as CaptureId)).toBe(1)
})

test('what workers of before still say changes nothing', async () => {
  const at = await system()
  const ids = await at.fetches(4)
  await at.turn(ids[1] as CaptureId, 'fetch')
  const fences = [
    await at.start(ids[0] as CaptureId, 'fetch'),
    await at.start(ids[1] as CaptureId, 'clean'),
    await at.start(ids[2] as CaptureId, 'fetch'),
  ]
  const [first, second, third] = fences.map((each) => each?.fence)
  if (!first || !second || !third) throw new Error('late')
  // Its record is in the archive, its hand over is on its way.
  const ref = await at.keep(third)
  await at.wipe()
  await expect(at.registry.end(first, { outcome: 'indexed' })).rejects.toThrow(/not the one/)
  await at.again()
  // No run comes twice, though this one left no record.
  expect(Number(await at.redis.hget(`${at.prefix}:entry:${ids[0]}`, 'run'))).toBeGreaterThan(first.run)
  const envelope = { v: 1 as const, captureId: ids[2] as CaptureId, rev: 0, url: null, ref }
  expect(await at.registry.end(first, { outcome: 'refused', code: 'gone' })).toBe(false)
  expect(await at.registry.putBack(second, { spend: true, delayMs: 1, code: 'internal', reason: '' })).toBe(false)
  expect(await at.registry.death(second, 'parser-died')).toBeNull()
  expect(await at.registry.handOver(third, 'clean', envelope)).toBe(false)
  expect(await at.registry.start(ids[2] as CaptureId, 'fetch')).toBeNull()
  expect(await at.sum()).toMatchObject({ accepted: 4, inFlight: 4, outcomes: 0 })
  await at.drain()
  expect([...at.documents.values()]).toEqual([1, 1, 1, 1])
})

test('without being told to, it only says what it would do', async () => {
  const at = await system()
  const { all } = await mixedWork(at)
  await at.wipe()
  const result = await at.again({ apply: false })
  expect(result).toMatchObject({ captures: all, deadLetters: 1 })
  expect(await keysOf(at.redis, at.prefix)).toEqual([])
  expect(await at.again()).toEqual({ ...result, seconds: expect.any(Number) })
})

/** Stops recover at a pass of a failpoint, as a kill would: nothing after it is done. */
class Killed extends Error {}
async function cut(at: Awaited<ReturnType<typeof system>>, name: Failpoint, side: FailpointSide, pass: number): Promise<boolean> {
  let passed = 0
  armFailpoints((atName, atSide) => {
    if (atName === name && atSide === side && (passed += 1) === pass) throw new Killed()
  })
  try {
    await at.again()
    return false
  } catch (error) {
    if (!(error instanceof Killed)) throw error
    return true
  } finally {
    armFailpoints(null)
  }
}

test('a recover that was cut anywhere is simply started again', async () => {
  const at = await system()
  const { all } = await mixedWork(at)
  const before = await at.sum()
  await at.wipe()
  await at.redis.set(`${at.prefix}:lease:keeper`, 'held')
  await at.redis.hset(`${at.prefix}:task:recover`, 'id', '1')
  let cuts = 0
  for (const side of ['before', 'after'] as const) {
    for (let pass = 1; await cut(at, 'restore', side, pass); pass += 1) {
      cuts += 1
      await expect(at.registry.totals()).rejects.toThrow(/not the one/)
      // Something that a recover of another archive's state would have left.
      await at.redis.zadd(`${at.prefix}:flight`, 0, newCaptureId())
      await at.redis.hset(`${at.prefix}:entry:${newCaptureId()}`, 'stage', 'fetch')
    }
    expect(await at.sum()).toMatchObject({ accepted: all, inFlight: before.inFlight, outcomes: before.outcomes })
    await at.redis.del(`${at.prefix}:epoch`)
    expect(await cut(at, 'restore-totals', side, 1)).toBe(true)
    const next = await at.again().catch((error: unknown) => error)
    expect(next instanceof RecoverError).toBe(side === 'after')
    await at.redis.del(`${at.prefix}:epoch`)
  }
  await at.again()
  expect(cuts).toBeGreaterThanOrEqual(8)
  expect(await at.sum()).toMatchObject({ accepted: all, inFlight: before.inFlight, outcomes: before.outcomes })
  const entries = (await keysOf(at.redis, at.prefix)).filter((key) => key.startsWith(`${at.prefix}:entry:`))
  expect(entries).toHaveLength(before.inFlight + 1)
  expect(await at.redis.exists(`${at.prefix}:lease:keeper`, `${at.prefix}:task:recover`)).toBe(2)
  await at.drain()
  expect(await at.sum()).toMatchObject({ inFlight: 0, outcomes: all })
})

const CHILD = `
import { createLedgerReader, hasSegments, readEpoch, writeEpoch } from '@copydesk/archive'
import { armFailpoints } from '@copydesk/pipeline'
import { connectRedis, recover } from '@copydesk/queue'
const [url, prefix, folder, name, side] = process.argv.slice(1)
armFailpoints((atName, atSide) => { if (atName === name && atSide === side) process.kill(process.pid, 'SIGKILL') })
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const epochStore = { read: () => readEpoch(folder), write: (epoch) => writeEpoch(folder, epoch), hasSegments: () => hasSegments(folder) }
const redis = connectRedis(url, 'worker', () => undefined)
await recover({ redis, prefix, archive: createLedgerReader(folder), epochStore, apply: true, onProgress() {}, log })
redis.disconnect()
`

test('a process that is killed in the middle of it leaves what the next one makes whole', async () => {
  const at = await system()
  const { all } = await mixedWork(at)
  const before = await at.sum()
  for (const [name, side] of [
    ['restore', 'after'],
    ['restore-totals', 'before'],
    ['restore-totals', 'after'],
  ] as const) {
    await at.wipe()
    const child = spawn(process.execPath, ['--input-type=module', '--eval', CHILD, at.redisUrl, at.prefix, at.path, name, side], {
      cwd: join(import.meta.dirname, '..'),
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
    const next = await at.again().catch((error: unknown) => error)
    expect(next instanceof RecoverError).toBe(side === 'after' && name === 'restore-totals')
    expect(await at.sum()).toMatchObject({ accepted: all, inFlight: before.inFlight, outcomes: before.outcomes })
  }
})

test('what is taken in while it runs is accepted once, whether it was read or not', async () => {
  const at = await system()
  await at.fetches(3)
  await at.wipe()
  const meanwhile: CaptureId[] = []
  const takeIn = async () => {
    const captureId = newCaptureId()
    meanwhile.push(captureId)
    const item = { captureId, url: `https://news.example/${captureId}`, ref: null, key: captureId }
    await at.archive.keepIntake({ v: 1, at: new Date().toISOString(), source: 'api', items: [item] })
    // Its accept comes too early, or is cut: the API says that it is undecided.
    const envelope = { v: 1 as const, captureId, rev: 0, url: item.url, ref: null }
    await expect(at.registry.accept(envelope, { key: item.key, urlDigest: null })).rejects.toThrow(/not the one/)
  }
  const archive: LedgerArchive = {
    async *ends() {
      yield* at.ledger.ends()
      await takeIn()
    },
    async *intake() {
      yield* at.ledger.intake()
      await takeIn()
    },
    async *records(kind, sinceMs) {
      await takeIn()
      yield* at.ledger.records(kind, sinceMs)
    },
  }
  const result = await at.again({ archive })
  expect(result.captures).toBe(4)
  expect(await at.check()).toBe(meanwhile.length - 1)
  expect(await at.check()).toBe(0)
  await at.drain()
  expect(await at.sum()).toMatchObject({ accepted: 3 + meanwhile.length, inFlight: 0 })
  expect([...at.documents.values()].every((written) => written === 1)).toBe(true)
})

test('several at once do no harm', async () => {
  const at = await system()
  const { all } = await mixedWork(at)
  const before = await at.sum()
  await at.wipe()
  const results = await Promise.allSettled([at.again(), at.again(), at.again()])
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const stopped = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  expect(stopped.every((reason) => reason instanceof RecoverError)).toBe(true)
  expect(await at.sum()).toMatchObject({ accepted: all, inFlight: before.inFlight, outcomes: before.outcomes })
})

/** The archive as it is, for a recover that falls asleep between reading and writing, until it is woken. */
function sleepy(at: Awaited<ReturnType<typeof system>>) {
  let wake: () => void = () => undefined
  const asleep = new Promise<void>((resolve) => (wake = resolve))
  const archive: LedgerArchive = {
    ends: () => at.ledger.ends(),
    intake: () => at.ledger.intake(),
    async *records(kind, sinceMs) {
      yield* at.ledger.records(kind, sinceMs)
      await asleep
    },
  }
  const result = at.again({ archive }).catch((error: unknown) => error)
  return { result, wake }
}
const soon = async () => await new Promise((resolve) => setTimeout(resolve, 100))

test('one that comes to itself after another was done, and work went on, writes nothing more', async () => {
  const at = await system()
  await at.fetches(20)
  await at.wipe()
  const frozen = sleepy(at)
  await soon()
  await at.again()
  await at.drain()
  frozen.wake()
  expect(await frozen.result).toMatchObject({ message: expect.stringMatching(/has stopped/) as string })
  expect(await at.sum()).toMatchObject({ accepted: 20, inFlight: 0, outcomes: 20 })
})

test('one that comes to itself while another is at it writes nothing more', async () => {
  const at = await system()
  await at.fetches(5)
  await at.wipe()
  const first = sleepy(at)
  await soon()
  const second = sleepy(at)
  await soon()
  first.wake()
  expect(await first.result).toMatchObject({ message: expect.stringMatching(/has stopped/) as string })
  await expect(at.registry.totals()).rejects.toThrow(/not the one/)
  second.wake()
  expect(await second.result).toMatchObject({ captures: 5 })
  expect(await at.sum()).toMatchObject({ accepted: 5, inFlight: 5 })
})

test('one whose Redis is put in use by another archive meanwhile stops', async () => {
  const at = await system()
  await at.fetches(5)
  await at.wipe()
  const frozen = sleepy(at)
  await soon()
  await at.redis.set(`${at.prefix}:epoch`, 'of another')
  frozen.wake()
  expect(await frozen.result).toMatchObject({ message: expect.stringMatching(/put in use/) as string })
  expect(await at.redis.exists(`${at.prefix}:flight`, `${at.prefix}:counts`)).toBe(0)
})

test('it refuses where there is nothing to recover, or not from this pair, and says what to do', async () => {
  const at = await system()
  await at.fetches(1)
  await expect(at.again()).rejects.toThrow(/nothing to recover/)
  await at.redis.set(`${at.prefix}:epoch`, 'of another')
  for (const apply of [true, false]) await expect(at.again({ apply })).rejects.toThrow(/REDIS_URL.*ARCHIVE_DIR/)
  // One that accepted nothing holds nothing that could be lost.
  await at.redis.hset(`${at.prefix}:counts`, 'accepted', 0)
  expect(await at.again()).toMatchObject({ captures: 1 })
  const empty = await folder()
  await at.redis.del(`${at.prefix}:epoch`)
  const epochStore = { ...at.epochStore, hasSegments: async () => await hasSegments(empty) }
  await expect(at.again({ epochStore })).rejects.toThrow(/bring its folder back/)
})

test('an archive that has segments and no epoch gets one', async () => {
  const at = await system()
  await at.fetches(2)
  await at.wipe()
  await rm(join(at.path, 'epoch'))
  await at.again()
  const made = await readEpoch(at.path)
  expect(made).toMatch(/^[0-9a-f-]{36}$/)
  expect(await at.redis.get(`${at.prefix}:epoch`)).toBe(made)
})

test('a damaged archive: what is left of it is recovered, and the rest is counted', async () => {
  const at = await system()
  const ids = await at.fetches(3)
  await at.turn(ids[0] as CaptureId, 'fetch')
  const stranger = newCaptureId()
  at.archive.end({
    v: 1,
    captureId: stranger,
    rev: 0,
    run: 1,
    kind: 'end',
    at: new Date().toISOString(),
    stage: 'index',
    outcome: 'indexed',
  })
  await at.wipe()
  // The raw records are gone.
  const archive: LedgerArchive = { ends: () => at.ledger.ends(), intake: () => at.ledger.intake(), async *records() {} }
  const result = await at.again({ archive, damaged: () => 2 })
  expect(result).toMatchObject({ captures: 3, inFlight: { fetch: 3, clean: 0 }, damaged: 2, withoutIntake: 1 })
})

test('twenty thousand captures are recovered, with progress', async () => {
  const at = await redisPart()
  await at.redis.del(`${at.prefix}:epoch`)
  const ids = Array.from({ length: 20_000 }, newCaptureId)
  const isOpen = (index: number) => index % 10 === 0
  const stamp = (captureId: CaptureId) => ({ v: 1 as const, captureId, rev: 0, run: 1 })
  const archive: LedgerArchive = {
    async *ends() {
      const common = { kind: 'end' as const, at: new Date().toISOString(), stage: 'index' as const, outcome: 'indexed' as const }
      for (const [index, captureId] of ids.entries()) if (!isOpen(index)) yield { ...stamp(captureId), ...common }
    },
    async *intake() {
      for (const captureId of ids) {
        const item = { captureId, url: `https://news.example/${captureId}`, ref: null, key: captureId }
        yield { v: 1, at: new Date().toISOString(), source: 'test', items: [item] }
      }
    },
    async *records(kind) {
      const segment = `${kind}-00000000-0000-7000-8000-000000000000.warc.gz`
      if (kind === 'raw')
        for (const captureId of ids) yield { stamp: stamp(captureId), reference: { store: 'file', segment, offset: 0, length: 1 } }
    },
  }
  const epochStore = { read: async () => 'epoch-1', write: async () => 'exists' as const, hasSegments: async () => true }
  const progress: string[] = []
  const options = { redis: at.redis, prefix: at.prefix, archive, epochStore, apply: true, log: silent }
  const result = await recover({ ...options, onProgress: (text) => void progress.push(text) })
  expect(result).toMatchObject({ captures: 20_000, inFlight: { clean: 2000 }, byOutcome: { indexed: 18_000 } })
  expect(progress.length).toBeGreaterThan(1)
})
