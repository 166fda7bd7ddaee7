import { rm } from 'node:fs/promises'
import type { IntakeRecord } from '@copydesk/contracts'
import {
  type CeilingLimits,
  connectRedis,
  createCeilings,
  createIntake,
  createNotices,
  createTasks,
  createViews,
  type IntakeArchive,
  IntakeClosedError,
  IntakeFullError,
  TaskBusyError,
} from '@copydesk/queue'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openGate, ownRedis, redisPart, silent } from '../support/redis.ts'

const MIB = 1024 ** 2
const NONE: CeilingLimits = { redisBytes: 0, diskBytes: 0, inFlight: 0 }

/** An archive in memory: what is tested here is what stands before it. */
function memoryArchive() {
  const written: (IntakeRecord | 'bytes')[] = []
  const ref = { store: 'file' as const, segment: 'raw-00000000-0000-7000-8000-000000000000.warc.gz', offset: 0, length: 1 }
  const archive: IntakeArchive = {
    keepCapture: async () => (written.push('bytes'), ref),
    keepIntake: async (record) => (written.push(record), ref),
    end: () => undefined,
  }
  return { archive, written }
}

async function part(limits: Partial<CeilingLimits>, free = 100 * MIB, redisUrl?: string) {
  const at = await redisPart('epoch-1', redisUrl)
  const { redis, prefix, registry, queues } = at
  const freeBytes = vi.fn<() => Promise<number>>(async () => free)
  let now = 0
  const ceilings = createCeilings({ redis, prefix, limits: { ...NONE, ...limits }, freeBytes, now: () => now })
  const { archive, written } = memoryArchive()
  const intake = createIntake({ registry, queues, archive, gate: openGate, log: silent, ceilings })
  let next = 0
  const take = async (count: number) =>
    await intake.take(
      Array.from({ length: count }, () => ({ url: `https://news.example/${(next += 1)}` })),
      'test',
    )
  const later = (ms: number) => void (now += ms)
  return { ...at, ceilings, intake, written, take, later, freeBytes }
}

const refused = async (work: Promise<unknown>): Promise<IntakeFullError> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof IntakeFullError) return error
  throw new Error(`not refused: ${String(error)}`)
}

test('a full queue is refused with 429, in a sentence that names the limit, and nothing is written', async () => {
  const at = await part({ inFlight: 5 })
  await at.take(4)
  const error = await refused(at.take(2))
  expect(error).toMatchObject({ limit: 'queue', status: 429 })
  expect(error.retryAfter).toBeGreaterThan(0)
  expect(error.message).toMatch(/INTAKE_MAX_IN_FLIGHT is 5/)
  expect(at.written).toHaveLength(1)
  await at.take(1)
  await refused(at.take(1))
})

test('a request that could never fit is told so', async () => {
  const at = await part({ inFlight: 5 })
  expect((await refused(at.take(6))).message).toMatch(/send fewer at once/)
})

test('the stores are asked once a second at most, and what is let in meanwhile counts', async () => {
  const at = await part({ inFlight: 5, diskBytes: 1 })
  for (let taken = 0; taken < 5; taken += 1) await at.take(1)
  await refused(at.take(1))
  expect(at.freeBytes).toHaveBeenCalledTimes(1)
  await at.redis.zpopmin(`${at.prefix}:flight`)
  at.later(1001)
  await at.take(1)
  expect(at.freeBytes).toHaveBeenCalledTimes(2)
})

test('many at once do not get in together where there is room for a few', async () => {
  const at = await part({ inFlight: 5 })
  const answers = await Promise.allSettled(Array.from({ length: 20 }, async () => await at.take(1)))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
})

test('too little free disk is refused with 503; bytes in hand count', async () => {
  const at = await part({ diskBytes: 99 * MIB })
  await at.take(1)
  const bytes = { body: Buffer.alloc(2 * MIB), contentType: null }
  const error = await refused(at.intake.take([{ url: null, bytes }], 'test'))
  expect(error).toMatchObject({ limit: 'disk', status: 503, message: expect.stringMatching(/INTAKE_MIN_FREE_BYTES/) as string })
  expect(at.written).not.toContain('bytes')
})

test('a disk that cannot be asked is refused with the reason', async () => {
  const at = await part({ diskBytes: 1 })
  at.freeBytes.mockRejectedValueOnce(new Error('ENOENT: no such folder'))
  expect((await refused(at.take(1))).message).toMatch(/no such folder.*ARCHIVE_DIR/)
  await at.take(1)
})

test('more memory of Redis than the limit is refused with 503, and lifted when there is room', async () => {
  const at = await part({ redisBytes: 1 })
  expect(await refused(at.take(1))).toMatchObject({
    limit: 'redis-memory',
    status: 503,
    message: expect.stringMatching(/INTAKE_MAX_REDIS_BYTES/) as string,
  })
  expect(at.written).toEqual([])
})

test('a Redis on its way to full is refused at 70 %; full, in plain words; with room again it goes on', async () => {
  const { url } = await ownRedis()
  const at = await part({}, undefined, url)
  await at.take(1)
  await at.redis.setrange('ballast', 20 * MIB, 'x')
  const used = Number(/used_memory:(\d+)/.exec(await at.redis.info('memory'))?.[1])
  await at.redis.config('SET', 'maxmemory', String(Math.round(used / 0.75)))
  at.later(2000)
  expect((await refused(at.take(1))).message).toMatch(/70 % of its maxmemory/)
  await at.redis.config('SET', 'maxmemory', String(Math.round(used * 0.8)))
  at.later(2000)
  const full = await refused(at.take(1))
  expect(full).toMatchObject({
    limit: 'redis-memory',
    status: 503,
    message: expect.stringMatching(/Redis is full.*CONFIG SET maxmemory/) as string,
  })
  expect(at.written).toHaveLength(1)
  await at.redis.config('SET', 'maxmemory', '0')
  at.later(2000)
  await at.take(1)
  expect(at.written).toHaveLength(2)
})

test('a Redis that cannot write its disk, and a read-only one, answer in plain words before anything is written', async () => {
  const { url, folder } = await ownRedis()
  const at = await part({}, undefined, url)
  await at.redis.replicaof('127.0.0.1', '1')
  await expect(at.take(1)).rejects.toThrow(IntakeClosedError)
  await expect(at.take(1)).rejects.toThrow(/read-only replica.*REDIS_URL/)
  await at.redis.replicaof('NO', 'ONE')
  await at.take(1)
  // Without its folder a snapshot fails, and Redis then refuses writes, as it does when it can't append to its file.
  await rm(folder, { recursive: true })
  await at.redis.config('SET', 'stop-writes-on-bgsave-error', 'yes')
  await at.redis.config('SET', 'save', '1 1')
  await at.redis.bgsave().catch(() => undefined)
  await vi.waitFor(async () => expect((await refused(at.take(1))).message).toMatch(/can't write to its disk.*make room/), {
    timeout: 10_000,
    interval: 200,
  })
  expect(await refused(at.take(1))).toMatchObject({ limit: 'disk', status: 503 })
  await at.redis.config('SET', 'save', '')
  await at.take(1)
})

test('notices: what is waited for and what is alarming, by whoever says it, until it is taken back or runs out', async () => {
  const { redis, registry, queues, prefix } = await redisPart()
  const notices = createNotices({ redis, prefix })
  await notices.set('waiting', 'search-1', 'Elasticsearch is read-only: free its disk.')
  await notices.set('waiting', 'search-2', 'Elasticsearch is read-only: free its disk.')
  await notices.set('waiting', 'archive', 'The archive is full.', 60_000)
  await notices.set('alarm', 'audit', 'Documents are missing | run audit.', 50)
  const status = async () => await createViews({ redis, registry, queues, gate: openGate, prefix }).status()
  expect(await status()).toMatchObject({
    waitingFor: ['The archive is full.', 'Elasticsearch is read-only: free its disk.'],
    alarms: ['Documents are missing | run audit.'],
  })
  await new Promise((resolve) => setTimeout(resolve, 80))
  await notices.set('waiting', 'search-1', null)
  await notices.set('waiting', 'archive', null)
  expect(await status()).toMatchObject({ waitingFor: ['Elasticsearch is read-only: free its disk.'], alarms: [] })
  // Said while Redis and archive do not belong together, too.
  await redis.del(`${prefix}:epoch`)
  expect((await notices.read()).waitingFor).toHaveLength(1)
})

test('a task is asked for once, joined by who asks for the same, and refused to who asks for another', async () => {
  const { redis, prefix } = await redisPart()
  await redis.del(`${prefix}:epoch`)
  const tasks = createTasks({ redis, prefix })
  expect(await tasks.read('recover')).toBeNull()
  expect(await tasks.take('recover')).toBeNull()
  const asked = await tasks.ask('recover', false)
  expect(asked).toMatchObject({ task: 'recover', apply: false, state: 'asked' })
  expect(await tasks.ask('recover', false)).toEqual(asked)
  await expect(tasks.ask('recover', true)).rejects.toThrow(TaskBusyError)
  expect(await tasks.ask('audit', true)).toMatchObject({ apply: true })
  const taken = await tasks.take('recover')
  expect(taken).toMatchObject({ id: asked.id, state: 'running' })
  expect(await tasks.progress('recover', asked.id, 'half of it')).toBe(true)
  expect(await tasks.read('recover')).toMatchObject({ progress: 'half of it' })
  // Its holder died: the next one takes it from the beginning.
  expect(await tasks.take('recover')).toMatchObject({ id: asked.id, state: 'running' })
  expect((await tasks.read('recover'))?.progress).toBeUndefined()
  expect(await tasks.finish('recover', asked.id, { result: { captures: 3, inFlight: { fetch: 1 } } })).toBe(true)
  expect(await tasks.read('recover')).toMatchObject({ state: 'done', result: { captures: 3, inFlight: { fetch: 1 } } })
  expect(await tasks.take('recover')).toBeNull()
  expect(await redis.ttl(`${prefix}:task:recover`)).toBeGreaterThan(3600)
})

test('what an old holder says about a task changes nothing once another was asked for', async () => {
  const { redis, prefix } = await redisPart()
  const tasks = createTasks({ redis, prefix })
  const first = await tasks.ask('audit', true)
  await tasks.take('audit')
  await tasks.finish('audit', first.id, { reason: 'Elasticsearch is away' })
  expect(await tasks.read('audit')).toMatchObject({ state: 'failed', reason: 'Elasticsearch is away' })
  expect(await tasks.finish('audit', first.id, { result: {} })).toBe(false)
  const second = await tasks.ask('audit', true)
  expect(second.id).not.toBe(first.id)
  expect(await redis.ttl(`${prefix}:task:audit`)).toBe(-1)
  expect(await tasks.progress('audit', first.id, 'old')).toBe(false)
  await tasks.take('audit')
  expect(await tasks.progress('audit', first.id, 'old')).toBe(false)
  expect(await tasks.finish('audit', first.id, { result: {} })).toBe(false)
  expect(await tasks.read('audit')).toMatchObject({ id: second.id, state: 'running' })
})

test('a producer is told at once that Redis is away, and nothing is written', async () => {
  const at = await part({ inFlight: 5 })
  const redis = connectRedis('redis://127.0.0.1:1', 'producer', () => undefined)
  onTestFinished(() => redis.disconnect())
  const { archive, written } = memoryArchive()
  const registry = { ...at.registry, probe: async () => void (await redis.set('x', '1')) }
  const intake = createIntake({ registry, queues: at.queues, archive, gate: openGate, log: silent })
  await expect(intake.take([{ url: 'https://news.example/a' }], 'test')).rejects.toThrow(/does not answer/)
  expect(written).toEqual([])
})
