import { type CaptureId, captureTime, OUTCOMES } from '@copydesk/contracts'
import { armFailpoints } from '@copydesk/pipeline'
import { createRegistry, createViews } from '@copydesk/queue'
import { expect, onTestFinished, test } from 'vitest'
import { fetchEnvelope, newCaptureId, redisPart, silent } from '../support/redis.ts'

const ref = { store: 'file' as const, segment: 'raw-00000000-0000-7000-8000-000000000000.warc.gz', offset: 0, length: 10 }

async function part() {
  const at = await redisPart()
  const { registry } = at
  const fence = (captureId: CaptureId, stage: 'fetch' | 'clean' | 'index', run: number) => ({ captureId, stage, run, attempt: 1, ms: 5 })
  const accept = async (captureId = newCaptureId(), key = captureId as string) => {
    const envelope = fetchEnvelope(captureId)
    const answer = await registry.accept(envelope, { key, urlDigest: 'digest' })
    return { captureId, envelope, answer }
  }
  const started = async (captureId: CaptureId, stage: 'fetch' | 'clean' | 'index' = 'fetch') => {
    const start = await registry.start(captureId, stage)
    if (!start) throw new Error('late')
    return fence(captureId, stage, start.run)
  }
  const sum = async () => {
    const { inFlight, dead, counts } = await registry.totals()
    const outcomes = OUTCOMES.reduce((total, name) => total + (counts.get(name) ?? 0), 0)
    expect(counts.get('accepted') ?? 0).toBe(inFlight + outcomes)
    expect(counts.get('failed') ?? 0).toBe(dead)
    return { inFlight, count: (name: string) => counts.get(name) ?? 0 }
  }
  return { ...at, fence, accept, started, sum }
}

test('accept counts a capture once, and answers the same when it is sent again', async () => {
  const { registry, accept, sum } = await part()
  const { captureId, envelope, answer } = await accept()
  expect(answer).toEqual({ kind: 'accepted' })
  expect(await registry.accept(envelope, { key: captureId, urlDigest: null })).toEqual({ kind: 'known', duplicateOf: null })
  expect(await sum()).toMatchObject({ inFlight: 1 })
})

test('a second capture of a key that is held ends as duplicate-run, and says of which, also when it is sent again', async () => {
  const { registry, accept, sum } = await part()
  const first = await accept(undefined, 'key')
  const second = await accept(undefined, 'key')
  expect(second.answer).toEqual({ kind: 'duplicate', duplicateOf: first.captureId })
  expect(await registry.accept(second.envelope, { key: 'key', urlDigest: null })).toEqual({ kind: 'known', duplicateOf: first.captureId })
  const { count, inFlight } = await sum()
  expect([inFlight, count('accepted'), count('duplicate-run')]).toEqual([1, 2, 1])
})

test('the key is free when fetch starts, and is taken again when the job is put back', async () => {
  const { registry, accept, started } = await part()
  const first = await accept(undefined, 'key')
  const fence = await started(first.captureId)
  await registry.putBack(fence, { spend: false, delayMs: 1000, code: 'rate-limited', reason: 'slow down' })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'duplicate', duplicateOf: first.captureId })
  await started(first.captureId)
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'accepted' })
})

test('a key that another took meanwhile stays with the other', async () => {
  const { registry, accept, started } = await part()
  const first = await accept(undefined, 'key')
  const fence = await started(first.captureId)
  const second = await accept(undefined, 'key')
  await registry.putBack(fence, { spend: false, delayMs: 1, code: 'rate-limited', reason: '' })
  const third = await accept(undefined, 'key')
  expect(third.answer).toEqual({ kind: 'duplicate', duplicateOf: second.captureId })
  await registry.end(await started(first.captureId), { outcome: 'refused', code: 'gone' })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'duplicate', duplicateOf: second.captureId })
})

test('of two runs only the later one can move the capture on', async () => {
  const { registry, accept, started, sum } = await part()
  const { captureId, envelope } = await accept()
  const frozen = await started(captureId)
  const awake = await started(captureId)
  expect(awake.run).toBeGreaterThan(frozen.run)
  expect(await registry.handOver(frozen, 'clean', { ...envelope, ref })).toBe(false)
  expect(await registry.end(frozen, { outcome: 'refused', code: 'gone' })).toBe(false)
  expect(await registry.handOver(awake, 'clean', { ...envelope, ref })).toBe(true)
  expect(await sum()).toMatchObject({ inFlight: 1 })
})

test('a run is greater than any before it, even when Redis has forgotten the last ones', async () => {
  const { redis, prefix, accept, started } = await part()
  const { captureId } = await accept()
  const before = await started(captureId)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await redis.hset(`${prefix}:entry:${captureId}`, 'run', 0)
  expect((await started(captureId)).run).toBeGreaterThan(before.run)
  // Redis's clock may go back as well.
  const ahead = Date.now() + 60_000
  await redis.hset(`${prefix}:entry:${captureId}`, 'run', ahead)
  expect((await started(captureId)).run).toBe(ahead + 1)
})

test('hand over sent twice moves once, and the old stage can start no more', async () => {
  const { registry, accept, started } = await part()
  const { captureId, envelope } = await accept()
  const fence = await started(captureId)
  const next = { ...envelope, ref }
  expect(await registry.handOver(fence, 'clean', next)).toBe(true)
  expect(await registry.handOver(fence, 'clean', next)).toBe(false)
  expect(await registry.start(captureId, 'fetch')).toBeNull()
  expect((await registry.start(captureId, 'clean'))?.envelope).toEqual(next)
})

test('end sent twice counts once', async () => {
  const { registry, accept, started, sum } = await part()
  const { captureId } = await accept()
  const fence = await started(captureId)
  expect(await registry.end(fence, { outcome: 'indexed' })).toBe(true)
  expect(await registry.end(fence, { outcome: 'indexed' })).toBe(false)
  const { count, inFlight } = await sum()
  expect([inFlight, count('indexed'), count('late')]).toEqual([0, 1, 1])
})

test('end as failed, sent twice, counts once too', async () => {
  const { registry, accept, started, sum } = await part()
  const fence = await started((await accept()).captureId)
  expect(await registry.end(fence, { outcome: 'failed', code: 'tls' })).toBe(true)
  expect(await registry.end(fence, { outcome: 'failed', code: 'tls' })).toBe(false)
  expect((await sum()).count('failed')).toBe(1)
})

test('end frees the key, should the capture still hold it', async () => {
  const { redis, prefix, registry, accept, started } = await part()
  const { captureId } = await accept(undefined, 'key')
  const fence = await started(captureId)
  await redis.set(`${prefix}:key:key`, captureId)
  await registry.end(fence, { outcome: 'indexed' })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'accepted' })
})

test('a capture under way is known however long it takes', async () => {
  const { redis, prefix, registry, accept, sum } = await part()
  const { captureId, envelope } = await accept()
  await redis.zrem(`${prefix}:known`, captureId)
  expect(await registry.accept(envelope, { key: 'other', urlDigest: null })).toEqual({ kind: 'known', duplicateOf: null })
  expect((await sum()).count('accepted')).toBe(1)
})

test('an end that Redis has forgotten is counted once, however often it is found', async () => {
  const { registry, sum } = await part()
  const envelope = fetchEnvelope()
  const end = {
    v: 1 as const,
    captureId: envelope.captureId,
    rev: 0,
    run: 3,
    kind: 'end' as const,
    at: new Date().toISOString(),
    stage: 'fetch' as const,
    outcome: 'refused' as const,
    code: 'gone' as const,
  }
  const item = { key: 'key', urlDigest: 'digest' }
  await registry.acceptEnded(envelope, end, item)
  await registry.acceptEnded(envelope, end, item)
  const { count } = await sum()
  expect([count('accepted'), count('refused')]).toEqual([1, 1])
})

test('a dead letter that Redis has forgotten is one again, counted once; retried, it begins anew and holds its key', async () => {
  const { redis, prefix, registry, accept, sum } = await part()
  const envelope = fetchEnvelope()
  const { captureId } = envelope
  const at = new Date().toISOString()
  const end = {
    v: 1 as const,
    captureId,
    rev: 0,
    run: 3,
    kind: 'end' as const,
    at,
    stage: 'index' as const,
    outcome: 'failed' as const,
    code: 'search-rejected' as const,
  }
  const item = { key: 'key', urlDigest: 'digest' }
  await registry.acceptEnded(envelope, end, item)
  await redis.zrem(`${prefix}:known`, captureId)
  await registry.acceptEnded(envelope, end, item)
  expect((await sum()).count('failed')).toBe(1)
  expect(await registry.retry(captureId, null)).toMatchObject({ stage: 'fetch', envelope })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'duplicate', duplicateOf: captureId })
  expect(await registry.start(captureId, 'fetch')).toMatchObject({ envelope })
})

test('the URL ledger keeps the last ten captures of an address, for a time', async () => {
  const { redis, prefix, accept } = await part()
  const ids: string[] = []
  for (let at = 0; at < 12; at += 1) ids.unshift((await accept()).captureId)
  const captures = await redis.hget(`${prefix}:url:digest`, 'captures')
  expect(captures?.split(' ')).toEqual(ids.slice(0, 10))
  expect(await redis.ttl(`${prefix}:url:digest`)).toBeGreaterThan(24 * 3600)
})

test('lag is the age of what nothing has touched for longest', async () => {
  const { redis, prefix, queues, registry, accept, started } = await part()
  const gate = { epoch: () => 'epoch-1', reason: () => null, onChange() {}, start: async () => undefined, close() {} }
  const status = async (now: number) => await createViews({ redis, registry, queues, gate, prefix, now: () => now }).status()
  expect((await status(Date.now())).lag).toBeNull()
  const old = (await accept()).captureId
  await new Promise((resolve) => setTimeout(resolve, 10))
  const touched = (await accept()).captureId
  await started(touched)
  expect((await status(captureTime(old) + 5000)).lag).toBe(5000)
})

test('what has ended is not brought back by a late look', async () => {
  const { registry, accept, started, sum } = await part()
  const { captureId } = await accept()
  await registry.end(await started(captureId), { outcome: 'indexed' })
  await registry.touch(captureId, 1000)
  expect(await sum()).toMatchObject({ inFlight: 0 })
})

test('a key belongs to the first stage: a later one that is put back does not take it', async () => {
  const { registry, accept, started } = await part()
  const { captureId, envelope } = await accept(undefined, 'key')
  await registry.handOver(await started(captureId), 'clean', { ...envelope, ref })
  await registry.putBack(await started(captureId, 'clean'), { spend: true, delayMs: 1, code: 'internal', reason: '' })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'accepted' })
})

test('a capture that has ended is known: it cannot be accepted anew', async () => {
  const { registry, accept, started, sum } = await part()
  const { captureId, envelope } = await accept()
  await registry.end(await started(captureId), { outcome: 'indexed' })
  expect(await registry.accept(envelope, { key: 'other', urlDigest: null })).toEqual({ kind: 'known', duplicateOf: null })
  expect((await sum()).count('accepted')).toBe(1)
})

test('put back sent twice spends one attempt', async () => {
  const { registry, accept, started } = await part()
  const { captureId } = await accept()
  const wait = { spend: true, delayMs: 1, code: 'timeout' as const, reason: 'no answer' }
  const fence = await started(captureId)
  expect(await registry.putBack(fence, wait)).toBe(true)
  expect(await registry.putBack(fence, wait)).toBe(false)
  expect(await registry.start(captureId, 'fetch')).toMatchObject({ attempt: 2, wakes: 0 })
})

test('a rate limit spends no attempt, and what to go on from comes back', async () => {
  const { registry, accept, started } = await part()
  const { captureId, envelope } = await accept()
  const resume = { ...envelope, resume: { hop: 2, chain: [] } }
  await registry.putBack(await started(captureId), { spend: false, delayMs: 1, code: 'rate-limited', reason: '', envelope: resume })
  expect(await registry.start(captureId, 'fetch')).toMatchObject({ attempt: 1, wakes: 1, envelope: resume })
})

test("a parser's death is counted once for each run", async () => {
  const { registry, accept, started } = await part()
  const { captureId } = await accept()
  const first = await started(captureId)
  expect(await registry.death(first, 'parser-died')).toBe(1)
  expect(await registry.death(first, 'parser-died')).toBe(1)
  expect(await registry.death(await started(captureId), 'parser-timeout')).toBe(2)
  expect(await registry.death(first, 'parser-died')).toBeNull()
})

test('a failed capture is a dead letter: it cannot start, and can be retried or dismissed, once', async () => {
  const { registry, accept, started, sum } = await part()
  const { captureId } = await accept()
  await registry.end(await started(captureId), { outcome: 'failed', code: 'tls', reason: 'expired' })
  expect(await registry.start(captureId, 'fetch')).toBeNull()
  expect(await sum()).toMatchObject({ inFlight: 0 })
  expect(await registry.retry(captureId, null)).toMatchObject({ stage: 'fetch' })
  expect(await registry.retry(captureId, null)).toBeNull()
  expect(await sum()).toMatchObject({ inFlight: 1 })
  await registry.end(await started(captureId), { outcome: 'failed', code: 'tls', reason: 'expired' })
  expect(await registry.dismiss(captureId)).toMatchObject({ stage: 'fetch' })
  expect(await registry.dismiss(captureId)).toBeNull()
  const { count } = await sum()
  expect([count('failed'), count('dismissed')]).toEqual([0, 1])
})

test('a retry at fetch ends as duplicate-run where another holds the key by now', async () => {
  const { registry, accept, started, sum } = await part()
  const first = await accept(undefined, 'key')
  await registry.end(await started(first.captureId), { outcome: 'failed', code: 'timeout' })
  const second = await accept(undefined, 'key')
  expect(await registry.retry(first.captureId, null)).toMatchObject({ duplicateOf: second.captureId })
  const { count, inFlight } = await sum()
  expect([inFlight, count('failed'), count('duplicate-run')]).toEqual([1, 0, 1])
})

test('a dead letter whose record is gone starts again at fetch', async () => {
  const { registry, accept, started } = await part()
  const { captureId, envelope } = await accept()
  await registry.handOver(await started(captureId), 'clean', { ...envelope, ref })
  await registry.end(await started(captureId, 'clean'), { outcome: 'failed', code: 'record-lost' })
  expect(await registry.retry(captureId, { envelope, key: 'key' })).toMatchObject({ stage: 'fetch', envelope })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'duplicate', duplicateOf: captureId })
  expect(await registry.start(captureId, 'fetch')).toMatchObject({ envelope })
})

test('under another epoch every move does nothing', async () => {
  const { redis, prefix, accept, registry } = await part()
  const { captureId, envelope } = await accept()
  const other = createRegistry(redis, { prefix, epoch: () => 'another' })
  await expect(other.start(captureId, 'fetch')).rejects.toThrow(/not the one/)
  await expect(other.accept(fetchEnvelope(), { key: 'k', urlDigest: null })).rejects.toThrow(/not the one/)
  await expect(createRegistry(redis, { prefix, epoch: () => null }).totals()).rejects.toThrow(/not the one/)
  expect(await registry.start(captureId, 'fetch')).toMatchObject({ envelope })
})

test('the trail tells every stage, attempt, time, outcome and reason, and the URL ledger its captures and article', async () => {
  const { redis, prefix, queues, registry, accept, started } = await part()
  const { captureId, envelope } = await accept()
  await registry.putBack(await started(captureId), { spend: true, delayMs: 1, code: 'timeout', reason: 'no answer | at all' })
  const second = await registry.start(captureId, 'fetch')
  await registry.handOver({ captureId, stage: 'fetch', run: second?.run ?? 0, attempt: 2, ms: 7 }, 'clean', { ...envelope, ref })
  await registry.end(await started(captureId, 'clean'), { outcome: 'indexed', articleId: 'a'.repeat(22) })
  const gate = { epoch: () => 'epoch-1', reason: () => null, onChange() {}, start: async () => undefined, close() {} }
  const views = createViews({ redis, registry, queues, gate, prefix })
  const view = await views.capture(captureId)
  expect(view).toMatchObject({ url: envelope.url, outcome: 'indexed', articleId: 'a'.repeat(22) })
  expect(view?.stage).toBeUndefined()
  expect(view?.events.map(({ event, stage, attempt, code, reason }) => ({ event, stage, attempt, code, reason }))).toEqual([
    { event: 'accepted', stage: 'fetch' },
    { event: 'put-back', stage: 'fetch', attempt: 1, code: 'timeout', reason: 'no answer | at all' },
    { event: 'handed-over', stage: 'fetch', attempt: 2 },
    { event: 'ended', stage: 'clean', attempt: 1 },
  ])
  expect(await redis.hgetall(`${prefix}:url:digest`)).toEqual({ captures: captureId, articleId: 'a'.repeat(22) })
  void silent
})

test('trails are capped by count: the oldest ended ones go, counters stay', async () => {
  const { redis, prefix, sum } = await part()
  const registry = createRegistry(redis, { prefix, epoch: () => 'epoch-1', caps: { trailSeconds: 60, trails: 3, urls: 2, urlSeconds: 60 } })
  const ids: CaptureId[] = []
  for (let at = 0; at < 6; at += 1) {
    const envelope = fetchEnvelope()
    ids.push(envelope.captureId)
    await registry.accept(envelope, { key: `k${at}`, urlDigest: `u${at}` })
    const start = await registry.start(envelope.captureId, 'fetch')
    await registry.end({ captureId: envelope.captureId, stage: 'fetch', run: start?.run ?? 0, attempt: 1, ms: 1 }, { outcome: 'indexed' })
  }
  const kept = await Promise.all(ids.map(async (id) => await redis.exists(`${prefix}:trail:${id}`)))
  expect(kept).toEqual([0, 0, 0, 1, 1, 1])
  expect(await redis.ttl(`${prefix}:trail:${ids[5]}`)).toBeGreaterThan(0)
  expect(await redis.zcard(`${prefix}:urls`)).toBe(2)
  expect((await sum()).count('indexed')).toBe(6)
})

test('a trail keeps its head and its last sixty events', async () => {
  const { redis, prefix, registry, accept, started } = await part()
  const { captureId } = await accept()
  for (let at = 0; at < 80; at += 1)
    await registry.putBack(await started(captureId), { spend: false, delayMs: 1, code: 'rate-limited', reason: String(at) })
  const trail = await redis.lrange(`${prefix}:trail:${captureId}`, 0, -1)
  expect(trail).toHaveLength(61)
  expect(trail[0]).toBe('||https://news.example/a')
  expect(trail.at(-1)).toMatch(/put-back.*\|79$/)
})

test('an entry in flight takes less than 1,400 bytes of Redis beside its job', async () => {
  const { redis, prefix, registry } = await part()
  const envelope = fetchEnvelope(undefined, `https://news.example/2026/11/24/${'a-usual-headline-'.repeat(4)}`)
  await registry.accept(envelope, { key: 'u1234567890123456789012', urlDigest: '1234567890123456789012' })
  await registry.start(envelope.captureId, 'fetch')
  const keys = [`entry:${envelope.captureId}`, `trail:${envelope.captureId}`, 'url:1234567890123456789012']
  const bytes = await Promise.all(keys.map(async (key) => Number(await redis.call('MEMORY', 'USAGE', `${prefix}:${key}`))))
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(1400)
})

test('every move and every add passes its failpoint directly before and after it', async () => {
  const { registry, queues, redis, prefix, accept, started } = await part()
  const passed: string[] = []
  onTestFinished(() => armFailpoints(null))
  const watch = async (work: () => Promise<unknown>) => {
    passed.length = 0
    armFailpoints((name, side) => void passed.push(`${name} ${side}`))
    await work()
    armFailpoints(null)
    return [...passed]
  }
  const { captureId, envelope } = await accept()
  const both = (name: string) => [`${name} before`, `${name} after`]
  expect(await watch(async () => await accept())).toEqual(both('accept'))
  expect(await watch(async () => await started(captureId))).toEqual(both('start'))
  const wait = { spend: true, delayMs: 1, code: 'timeout' as const, reason: '' }
  const first = await started(captureId)
  expect(await watch(async () => await registry.death(first, 'parser-died'))).toEqual(both('death'))
  expect(await watch(async () => await registry.putBack(first, wait))).toEqual(both('put-back'))
  const second = await started(captureId)
  expect(await watch(async () => await registry.handOver(second, 'clean', { ...envelope, ref }))).toEqual(both('hand-over'))
  const third = await started(captureId, 'clean')
  expect(await watch(async () => await registry.end(third, { outcome: 'failed', code: 'internal' }))).toEqual(both('end'))
  expect(await watch(async () => await registry.retry(captureId, null))).toEqual(both('retry'))
  await registry.end(await started(captureId, 'clean'), { outcome: 'failed', code: 'internal' })
  expect(await watch(async () => await registry.dismiss(captureId))).toEqual(both('dismiss'))
  expect(await watch(async () => await registry.mark(1, 0))).toEqual(both('mark'))
  const other = fetchEnvelope()
  const end = {
    v: 1 as const,
    captureId: other.captureId,
    rev: 0,
    run: 1,
    kind: 'end' as const,
    at: new Date().toISOString(),
    stage: 'fetch' as const,
  }
  const item = { key: 'k', urlDigest: null }
  expect(await watch(async () => await registry.acceptEnded(other, { ...end, outcome: 'refused' }, item))).toEqual(both('accept-ended'))
  expect(await watch(async () => await queues.add('fetch', fetchEnvelope()))).toEqual(both('add'))
  expect(await watch(async () => await queues.addAll('fetch', [fetchEnvelope(), fetchEnvelope()]))).toEqual(both('add-all'))
  expect(await watch(async () => await registry.totals())).toEqual([])
  // What a kill before the move prevents has not happened; what one after it comes too late for has.
  armFailpoints((name, side) => {
    if (name === 'accept' && side === 'before') throw new Error('killed')
  })
  const killed = fetchEnvelope()
  await expect(registry.accept(killed, item)).rejects.toThrow('killed')
  armFailpoints(null)
  expect(await redis.exists(`${prefix}:entry:${killed.captureId}`)).toBe(0)
})

test('a key that is held by chance after its stage began is freed at hand over', async () => {
  const { redis, prefix, registry, accept, started } = await part()
  const { captureId, envelope } = await accept(undefined, 'key')
  const fence = await started(captureId)
  await redis.set(`${prefix}:key:key`, captureId)
  await registry.handOver(fence, 'clean', { ...envelope, ref })
  expect((await accept(undefined, 'key')).answer).toEqual({ kind: 'accepted' })
})
