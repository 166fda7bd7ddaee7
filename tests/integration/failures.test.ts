import { type CaptureId, type Code, type EndRecord, OUTCOMES, type StageName } from '@copydesk/contracts'
import { createFailures, createViews, NotDeadError, reconcile } from '@copydesk/queue'
import { expect, test } from 'vitest'
import { fetchEnvelope, newCaptureId, openGate, redisPart, silent } from '../support/redis.ts'

const ref = { store: 'file' as const, segment: 'raw-00000000-0000-7000-8000-000000000000.warc.gz', offset: 0, length: 10 }

async function part() {
  const at = await redisPart()
  const { redis, registry, queues, prefix } = at
  const ends: EndRecord[] = []
  const views = createViews({ redis, registry, queues, gate: openGate, prefix })
  const failures = createFailures({ registry, queues, ends: { end: (record) => void ends.push(record) }, views })
  const start = async (captureId: CaptureId, stage: StageName = 'fetch') => {
    const started = await registry.start(captureId, stage)
    if (!started) throw new Error('late')
    return { captureId, stage, run: started.run, attempt: 1, ms: 5 }
  }
  const accept = async (url = 'https://news.example/a', captureId = newCaptureId()) => {
    const envelope = fetchEnvelope(captureId, url)
    await registry.accept(envelope, { key: `of ${url}`, urlDigest: null })
    return envelope
  }
  const fail = async (url?: string, code: Code = 'tls', cause = 'the certificate has expired') => {
    const { captureId } = await accept(url)
    await registry.end(await start(captureId), { outcome: 'failed', code, reason: cause })
    return captureId
  }
  const sum = async () => {
    const { inFlight, dead, counts } = await registry.totals()
    expect(counts.get('accepted') ?? 0).toBe(inFlight + OUTCOMES.reduce((all, name) => all + (counts.get(name) ?? 0), 0))
    expect(counts.get('failed') ?? 0).toBe(dead)
    return { inFlight, dead, dismissed: counts.get('dismissed') ?? 0 }
  }
  return { ...at, ends, views, failures, start, accept, fail, sum }
}

test('dead letters are listed by time, a page at a time, each with its stage, code and whole cause', async () => {
  const { failures, fail } = await part()
  expect(await failures.list({ size: 10 })).toEqual({ total: 0, failures: [], after: null })
  const cause = 'x'.repeat(1000)
  const ids: CaptureId[] = []
  for (let at = 0; at < 5; at += 1) ids.push(await fail(`https://news.example/${at}`, 'tls', cause))
  const first = await failures.list({ size: 2 })
  expect(first).toMatchObject({ total: 5, after: ids[1] })
  expect(first.failures[0]).toEqual({
    captureId: ids[0],
    url: 'https://news.example/0',
    stage: 'fetch',
    code: 'tls',
    cause,
    at: expect.stringMatching(/^2/),
  })
  const second = await failures.list({ size: 2, after: ids[1] })
  expect(second.failures.map(({ captureId }) => captureId)).toEqual(ids.slice(2, 4))
  expect(await failures.list({ size: 2, after: ids[3] })).toMatchObject({ failures: [{ captureId: ids[4] }], after: null })
})

test('a page that begins after a dead letter that was settled meanwhile passes none over', async () => {
  const { failures, fail, redis, prefix } = await part()
  const ids: CaptureId[] = []
  for (let at = 0; at < 4; at += 1) ids.push(await fail(`https://news.example/${at}`))
  await failures.dismiss(ids[1] as CaptureId)
  expect((await failures.list({ size: 2, after: ids[1] })).failures.map(({ captureId }) => captureId)).toEqual(ids.slice(2))
  await redis.del(`${prefix}:trail:${ids[1]}`)
  const shown = (await failures.list({ size: 4, after: ids[1] })).failures.map(({ captureId }) => captureId)
  expect(shown).toEqual(expect.arrayContaining(ids.slice(2)))
})

test('one dead letter is shown with its trail; what is none is not', async () => {
  const { failures, fail, accept } = await part()
  const captureId = await fail()
  expect(await failures.get(captureId)).toMatchObject({
    failure: { captureId, code: 'tls', cause: 'the certificate has expired' },
    capture: { captureId, outcome: 'failed', events: [{ event: 'accepted' }, { event: 'ended', outcome: 'failed' }] },
  })
  expect(await failures.get((await accept()).captureId)).toBeNull()
  expect(await failures.get(newCaptureId())).toBeNull()
})

test('a retry puts it under way again at its stage, with its job, and its end is taken back in the archive', async () => {
  const { failures, registry, queues, accept, start, ends, sum } = await part()
  const envelope = await accept()
  const { captureId } = envelope
  await registry.handOver(await start(captureId), 'clean', { ...envelope, ref })
  const fence = await start(captureId, 'clean')
  await registry.end(fence, { outcome: 'failed', code: 'parser-died' })
  expect(await failures.retry(captureId)).toEqual({ captureId, stage: 'clean' })
  expect(await queues.has('clean', captureId)).toBe(true)
  expect(ends).toMatchObject([{ captureId, kind: 'retry', stage: 'clean', rev: 0, run: fence.run + 1 }])
  expect(ends[0]?.outcome).toBeUndefined()
  expect(await sum()).toMatchObject({ inFlight: 1, dead: 0 })
  expect(await registry.start(captureId, 'clean')).toMatchObject({ attempt: 1, envelope: { ref } })
})

test('one whose record is gone starts at fetch, where there is an address', async () => {
  const { failures, registry, accept, start, fail } = await part()
  const envelope = await accept()
  const { captureId } = envelope
  await registry.handOver(await start(captureId), 'clean', { ...envelope, ref, resume: { hop: 1 } })
  await registry.end(await start(captureId, 'clean'), { outcome: 'failed', code: 'record-lost' })
  expect(await failures.retry(captureId)).toEqual({ captureId, stage: 'fetch' })
  const started = await registry.start(captureId, 'fetch')
  expect(started?.envelope).toEqual(envelope)
  const other = await fail('https://news.example/b')
  expect(await failures.retry(other)).toMatchObject({ stage: 'fetch' })
})

test('a retry at fetch whose address waits already ends as its repeat, and that is recorded', async () => {
  const { failures, fail, accept, ends, sum } = await part()
  const captureId = await fail()
  const other = await accept()
  expect(await failures.retry(captureId)).toEqual({ captureId, stage: 'fetch', duplicateOf: other.captureId })
  expect(ends).toMatchObject([{ captureId, kind: 'end', outcome: 'duplicate-run', duplicateOf: other.captureId }])
  expect(await sum()).toMatchObject({ inFlight: 1, dead: 0 })
})

test('dismissed, it is gone for good, and counted as that', async () => {
  const { failures, fail, ends, views, sum } = await part()
  const captureId = await fail()
  expect(await failures.dismiss(captureId)).toEqual({ captureId, stage: 'fetch' })
  expect(ends).toMatchObject([{ captureId, kind: 'dismissal', outcome: 'dismissed' }])
  expect(await sum()).toEqual({ inFlight: 0, dead: 0, dismissed: 1 })
  expect((await views.capture(captureId))?.outcome).toBe('dismissed')
})

test('what is no dead letter is refused in words: under way, ended otherwise, settled already, not known', async () => {
  const { failures, registry, accept, start, fail, ends } = await part()
  const { captureId } = await accept()
  await expect(failures.retry(captureId)).rejects.toThrow(/under way at fetch/)
  await registry.end(await start(captureId), { outcome: 'refused', code: 'gone' })
  await expect(failures.dismiss(captureId)).rejects.toThrow(/has ended as refused/)
  const failed = await fail('https://news.example/b')
  await failures.retry(failed)
  await expect(failures.retry(failed)).rejects.toThrow(/under way/)
  await expect(failures.dismiss(failed)).rejects.toThrow(NotDeadError)
  await expect(failures.retry(newCaptureId())).rejects.toMatchObject({
    known: false,
    message: expect.stringMatching(/not known/) as string,
  })
  expect(ends).toHaveLength(1)
})

test('all are retried, also more than are asked for at once, the older of one address first', async () => {
  const { failures, fail, ends, queues, sum } = await part()
  const ids: CaptureId[] = []
  for (let at = 0; at < 230; at += 1) ids.push(await fail(`https://news.example/${at % 225}`))
  expect(await failures.retryAll()).toEqual({ settled: 225, duplicates: 5, gone: 0 })
  expect(await sum()).toMatchObject({ inFlight: 225, dead: 0 })
  expect((await queues.counts()).fetch.waiting).toBe(225)
  const repeats = new Map(
    ends.flatMap(({ outcome, captureId, duplicateOf }) => (outcome === 'duplicate-run' ? [[captureId, duplicateOf]] : [])),
  )
  expect(repeats).toEqual(new Map(ids.slice(225).map((id, at) => [id, ids[at]])))
  expect(await failures.retryAll()).toEqual({ settled: 0, duplicates: 0, gone: 0 })
})

test('all are dismissed, and by two at once each only once', async () => {
  const { failures, fail, ends, sum } = await part()
  for (let at = 0; at < 50; at += 1) await fail(`https://news.example/${at}`)
  const [one, two] = await Promise.all([failures.dismissAll(), failures.dismissAll()])
  expect(one.settled + two.settled).toBe(50)
  expect(one.gone + two.gone).toBeGreaterThan(0)
  expect(ends).toHaveLength(50)
  expect(await sum()).toEqual({ inFlight: 0, dead: 0, dismissed: 50 })
})

test('a job that cannot be added is the work of the reconciler', async () => {
  const at = await part()
  const errors: unknown[] = []
  const queues = { ...at.queues, add: async () => await Promise.reject(new Error('away')) }
  const failures = createFailures({
    registry: at.registry,
    queues,
    ends: { end() {} },
    views: at.views,
    onError: (error) => void errors.push(error),
  })
  const captureId = await at.fail()
  expect(await failures.retry(captureId)).toMatchObject({ stage: 'fetch' })
  expect(errors).toHaveLength(1)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(await reconcile(at.registry, at.queues, { untouchedMs: 10, againMs: 60_000 }, silent)).toBe(1)
  expect(await at.queues.has('fetch', captureId)).toBe(true)
})

test('the segments in use are those that entries in flight and dead letters refer to', async () => {
  const { registry, accept, start, redis, prefix } = await part()
  const segment = (at: number) => `raw-0000000${at}-0000-7000-8000-000000000000.warc.gz`
  const ids: CaptureId[] = []
  for (let at = 0; at < 4; at += 1) {
    const envelope = await accept(`https://news.example/${at}`)
    ids.push(envelope.captureId)
    const { captureId } = envelope
    if (at > 0) await registry.handOver(await start(captureId), 'clean', { ...envelope, ref: { ...ref, segment: segment(at) } })
  }
  await registry.end(await start(ids[2] as CaptureId, 'clean'), { outcome: 'failed', code: 'internal' })
  await registry.end(await start(ids[3] as CaptureId, 'clean'), { outcome: 'refused', code: 'empty' })
  expect([...(await registry.references())].toSorted()).toEqual([segment(1), segment(2)])
  const stranger = newCaptureId()
  expect([...(await registry.states([...ids, stranger])).values()]).toEqual(['in-flight', 'in-flight', 'dead', 'neither', 'neither'])
  // An emptied Redis refers to nothing, and that means nothing.
  await redis.del(`${prefix}:epoch`)
  await expect(registry.references()).rejects.toThrow(/not the one/)
  await expect(registry.states(ids)).rejects.toThrow(/not the one/)
})
