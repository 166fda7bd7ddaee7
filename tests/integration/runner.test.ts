import { type CaptureId, Envelope, type Reference } from '@copydesk/contracts'
import { defineStage, end, next, PermanentError, RateLimitedError, RetryableError, type Stage } from '@copydesk/pipeline'
import { type Observation, type RecordStore, startStage, type StageOptions } from '@copydesk/queue'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { fetchEnvelope, redisPart, silent } from '../support/redis.ts'

const Text = z.object({ text: z.string() })
type Text = z.infer<typeof Text>

/** A record store in memory: what is tested here is the runner. The archive has tests of its own. */
function memoryRecords() {
  const kept: unknown[] = []
  const ends: unknown[] = []
  const store: RecordStore = {
    load: async ({ offset }) => kept[offset],
    keep: async (_kind, _stamp, output): Promise<Reference> => ({
      store: 'file',
      segment: 'raw-00000000-0000-7000-8000-000000000000.warc.gz',
      offset: kept.push(output) - 1,
      length: 1,
    }),
    end: (record) => void ends.push(record),
  }
  return { kept, ends, store }
}

const fetchLike = (run: Stage<Envelope, Text, object>['run']) =>
  defineStage<Envelope, Text, object>({ name: 'fetch', from: 'envelope', input: Envelope, output: Text, run })

async function running(
  stage: Stage<Envelope, Text, object>,
  options: Partial<StageOptions> & { deadlineMs?: number; attempts?: number } = {},
) {
  const part = await redisPart()
  const records = memoryRecords()
  const seen: Observation[] = []
  const gate = { epoch: () => 'epoch-1', reason: () => null, onChange() {}, start: async () => undefined, close() {} }
  const { redisUrl, prefix, registry, queues } = part
  const at = {
    deps: {},
    registry,
    queues,
    records: records.store,
    log: silent,
    retry: { attempts: options.attempts ?? 3, baseMs: 20, maxMs: 100 },
    deadlineMs: options.deadlineMs ?? 5000,
    observe: (observation: Observation) => void seen.push(observation),
    now: Date.now,
  }
  const start = () => startStage(stage, at, { redisUrl, prefix, gate, concurrency: 4, ...options })
  const worker = start()
  onTestFinished(async () => await worker.close(500))
  const ingest = async (envelope = fetchEnvelope()): Promise<CaptureId> => {
    await registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
    await queues.add('fetch', envelope)
    return envelope.captureId
  }
  const counted = async (name: string) => (await registry.totals()).counts.get(name) ?? 0
  const until = async (check: () => Promise<void>) => await vi.waitFor(check, { timeout: 15_000, interval: 50 })
  return { ...part, ...records, seen, worker, start, ingest, counted, until }
}

test("a stage's output is kept, the capture is at the next stage, and its job waits there", async () => {
  const at = await running(fetchLike(async ({ url }) => next({ text: url ?? '' })))
  const captureId = await at.ingest()
  await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
  expect(at.kept).toEqual([{ text: 'https://news.example/a' }])
  const started = await at.registry.start(captureId, 'clean')
  expect(started?.envelope.ref).toMatchObject({ offset: 0 })
  expect(await at.queues.has('fetch', captureId)).toBe(false)
})

test('a refusal ends the capture with its code, and is recorded', async () => {
  const at = await running(fetchLike(async () => end('refused', { code: 'gone', evidence: 'status 410' })))
  const captureId = await at.ingest()
  await at.until(async () => expect(await at.counted('refused')).toBe(1))
  await vi.waitFor(() => expect(at.ends).toMatchObject([{ captureId, outcome: 'refused', code: 'gone', cause: 'status 410' }]))
})

test('a retryable error is tried as often as allowed, then it is a dead letter with its code', async () => {
  let runs = 0
  const at = await running(
    fetchLike(async () => {
      runs += 1
      throw new RetryableError('timeout', 'no answer')
    }),
  )
  await at.ingest()
  await at.until(async () => expect(await at.counted('failed')).toBe(1))
  expect(runs).toBe(3)
  expect(at.ends).toMatchObject([{ outcome: 'failed', code: 'timeout', cause: 'no answer' }])
})

test('a permanent error fails at once, and so does an output that is not what its schema says', async () => {
  const at = await running(
    fetchLike(async ({ url }) => {
      if (url?.endsWith('permanent')) throw new PermanentError('tls', 'expired')
      return next({ wrong: true } as unknown as Text)
    }),
  )
  await at.ingest(fetchEnvelope(undefined, 'https://news.example/permanent'))
  await at.ingest(fetchEnvelope(undefined, 'https://news.example/schema'))
  await at.until(async () => expect(await at.counted('failed')).toBe(2))
  expect(at.ends.map((each) => (each as { code: string }).code).toSorted()).toEqual(['schema', 'tls'])
})

test('a rate limit spends no attempt, and the stage goes on from what it said', async () => {
  const resumes: unknown[] = []
  const at = await running(
    fetchLike(async ({ resume }, { attempt, wakes }) => {
      resumes.push([resume, attempt, wakes])
      if (wakes < 4) throw new RateLimitedError('rate-limited', 10, 'slow down', { resume: { hop: wakes + 1 } })
      return next({ text: 'done' })
    }),
    { attempts: 1 },
  )
  const captureId = await at.ingest()
  await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
  expect(resumes).toEqual([
    [undefined, 1, 0],
    [{ hop: 1 }, 1, 1],
    [{ hop: 2 }, 1, 2],
    [{ hop: 3 }, 1, 3],
    [{ hop: 4 }, 1, 4],
  ])
})

test('the second death of a parser on a page is a dead letter, whatever attempts are left', async () => {
  let runs = 0
  const at = await running(
    fetchLike(async () => {
      runs += 1
      throw new RetryableError('parser-died', 'out of memory')
    }),
    { attempts: 10 },
  )
  await at.ingest()
  await at.until(async () => expect(await at.counted('failed')).toBe(1))
  expect(runs).toBe(2)
})

test('a stage that never ends is given up at its deadline, and its signal is aborted', async () => {
  const signals: AbortSignal[] = []
  const at = await running(
    fetchLike(async (_input, { signal }) => {
      signals.push(signal)
      return await new Promise(() => undefined)
    }),
    { deadlineMs: 100, attempts: 2 },
  )
  await at.ingest()
  await at.until(async () => expect(await at.counted('failed')).toBe(1))
  expect(at.ends).toMatchObject([{ code: 'deadline' }])
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
})

test('a job that comes late does nothing', async () => {
  const run = vi.fn<Stage<Envelope, Text, object>['run']>(async () => next({ text: '' }))
  const at = await running(fetchLike(run))
  const envelope = fetchEnvelope()
  await at.queues.add('fetch', envelope)
  await at.until(async () => expect(await at.counted('late')).toBe(1))
  expect(run).not.toHaveBeenCalled()
  expect(at.seen).toMatchObject([{ result: 'late' }])
})

test('an archive that cannot be written makes the job wait without spending an attempt', async () => {
  const at = await running(
    fetchLike(async () => next({ text: 'x' })),
    { attempts: 1 },
  )
  at.store.keep = async () => {
    throw new RetryableError('archive-unavailable', 'the disk is full')
  }
  const captureId = await at.ingest()
  await at.until(async () => expect((await at.queues.counts()).fetch.delayed).toBe(1))
  expect(await at.counted('failed')).toBe(0)
  expect(await at.registry.start(captureId, 'fetch')).toMatchObject({ attempt: 1, wakes: 1 })
})

test('closing lets what is under way finish, and after the deadline lets it go to another worker', async () => {
  const runs: string[] = []
  let slow = true
  let onRun: (attempt: number) => void = () => undefined
  const at = await running(
    fetchLike(async (_input, { signal, attempt }) => {
      onRun(attempt)
      runs.push(slow ? 'slow' : 'fast')
      if (slow) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      return next({ text: 'done' })
    }),
    { lockMs: 1000, stalledCheckMs: 500, deadlineMs: 60_000 },
  )
  const captureId = await at.ingest()
  await at.until(async () => expect(runs).toEqual(['slow']))
  const before = Date.now()
  await at.worker.close(300)
  expect(Date.now() - before).toBeLessThan(2000)
  slow = false
  const letGo = vi.fn<(attempt: number) => void>()
  onRun = letGo
  const second = at.start()
  onTestFinished(async () => await second.close(500))
  await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
  expect(await at.counted('failed')).toBe(0)
  // Leaving is no fault of the page: no attempt was spent.
  expect(letGo).toHaveBeenCalledWith(1)
})

test('a worker that loses the lock of a job stops working on it', async () => {
  const aborts: unknown[] = []
  const at = await running(
    fetchLike(async (_input, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborts.push(signal.reason)
      throw new Error('stopped')
    }),
    { lockMs: 1000, stalledCheckMs: 60_000, deadlineMs: 30_000 },
  )
  const captureId = await at.ingest()
  await at.until(async () => expect(await at.redis.exists(`${at.prefix}:fetch:${captureId}:lock`)).toBe(1))
  await at.redis.set(`${at.prefix}:fetch:${captureId}:lock`, 'of another worker')
  await at.until(async () => expect(aborts).toHaveLength(1))
  expect(await at.counted('failed')).toBe(0)
})

test('while Redis and archive do not belong together no job is taken', async () => {
  const run = vi.fn<Stage<Envelope, Text, object>['run']>(async () => next({ text: '' }))
  const listeners: ((open: boolean) => void)[] = []
  let epoch: string | null = 'epoch-1'
  const at = await running(fetchLike(run), {
    gate: {
      epoch: () => epoch,
      reason: () => null,
      onChange: (listener) => void listeners.push(listener),
      start: async () => undefined,
      close() {},
    },
  })
  const first = await at.ingest()
  await at.until(async () => expect(await at.queues.has('clean', first)).toBe(true))
  epoch = null
  for (const listener of listeners) listener(false)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const second = await at.ingest()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(run).toHaveBeenCalledTimes(1)
  epoch = 'epoch-1'
  for (const listener of listeners) listener(true)
  await at.until(async () => expect(await at.queues.has('clean', second)).toBe(true))
})

test('a job that BullMQ gives up becomes a dead letter, stalled', async () => {
  const at = await running(fetchLike(async () => next({ text: 'x' })))
  const envelope = fetchEnvelope()
  await at.registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
  // What BullMQ's script leaves on a job that stalled too often; the next worker to take it fails it without a run.
  await at.worker.close(500)
  await at.queues.add('fetch', envelope)
  await at.redis.hset(`${at.prefix}:fetch:${envelope.captureId}`, 'defa', 'job stalled more than allowable limit')
  const second = at.start()
  onTestFinished(async () => await second.close(500))
  await at.until(async () => expect(await at.counted('failed')).toBe(1))
  expect(at.ends).toMatchObject([{ code: 'stalled' }])
  // A kept job would swallow the retry's add.
  await at.until(async () => expect(await at.queues.has('fetch', envelope.captureId)).toBe(false))
})
