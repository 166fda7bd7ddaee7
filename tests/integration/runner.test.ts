import { connect, createServer, type Socket } from 'node:net'
import { type CaptureId, Envelope, type Reference } from '@copydesk/contracts'
import { defineStage, end, next, PermanentError, RateLimitedError, RetryableError, type Stage } from '@copydesk/pipeline'
import {
  connectRedis,
  createQueues,
  createRegistry,
  type Observation,
  reconcile,
  type RecordStore,
  startStage,
  type StageOptions,
  type Valve,
} from '@copydesk/queue'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { fetchEnvelope, openGate, ownRedis, redisPart, silent } from '../support/redis.ts'

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
  options: Partial<StageOptions> & { deadlineMs?: number; attempts?: number; limitedMs?: number } = {},
) {
  const part = await redisPart()
  const records = memoryRecords()
  const seen: Observation[] = []
  const { redisUrl, prefix, registry, queues } = part
  const at = {
    deps: {},
    registry,
    queues,
    records: records.store,
    log: silent,
    retry: {
      attempts: options.attempts ?? 3,
      baseMs: 20,
      maxMs: 100,
      ...(options.limitedMs !== undefined && { limitedMs: options.limitedMs }),
    },
    deadlineMs: options.deadlineMs ?? 5000,
    observe: (observation: Observation) => void seen.push(observation),
    now: Date.now,
  }
  const start = () => startStage(stage, at, { redisUrl, prefix, gate: openGate, concurrency: 4, ...options })
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

/** A valve that is turned by hand. */
function handValve() {
  const listeners: ((flows: boolean) => void)[] = []
  let open = true
  const valve: Valve = { flows: () => open, onChange: (listener) => void listeners.push(listener) }
  const turn = (to: boolean) => {
    open = to
    for (const listener of listeners) listener(to)
  }
  return { valve, turn }
}

test('while a valve is shut no job is taken and none is spent; what is under way runs on', async () => {
  const { valve, turn } = handValve()
  const runs: number[] = []
  let finish: () => void = () => undefined
  const at = await running(
    fetchLike(async (_input, { attempt, wakes }) => {
      runs.push(attempt + wakes)
      if (runs.length === 1) await new Promise<void>((resolve) => (finish = resolve))
      return next({ text: 'x' })
    }),
    { valves: [valve] },
  )
  const first = await at.ingest()
  await at.until(async () => expect(runs).toHaveLength(1))
  turn(false)
  const others = [await at.ingest(), await at.ingest()]
  finish()
  await at.until(async () => expect(await at.queues.has('clean', first)).toBe(true))
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(runs).toHaveLength(1)
  turn(true)
  for (const captureId of others) await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
  // No attempt and no wake were spent on waiting.
  expect(runs).toEqual([1, 1, 1])
})

test('a valve that turns again and again leaves a worker that takes jobs, and looks for stalled ones', async () => {
  const { valve, turn } = handValve()
  const at = await running(
    fetchLike(async () => next({ text: 'x' })),
    { valves: [valve], lockMs: 1000, stalledCheckMs: 300 },
  )
  for (let times = 0; times < 20; times += 1) turn(times % 2 === 1)
  for (const shutMs of [0, 1, 2, 4, 8, 16]) {
    turn(false)
    await new Promise((resolve) => setTimeout(resolve, shutMs))
    turn(true)
    // What BullMQ leaves whenever it looks for stalled jobs, for as long as until the next time.
    await new Promise((resolve) => setTimeout(resolve, 100))
    await at.redis.del(`${at.prefix}:fetch:stalled-check`)
    await at.until(async () => expect(await at.redis.exists(`${at.prefix}:fetch:stalled-check`)).toBe(1))
  }
  const captureId = await at.ingest()
  await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
  // A job that a dead worker left: active, and without a lock.
  const left = fetchEnvelope()
  await at.registry.accept(left, { key: left.captureId, urlDigest: null })
  await at.redis.hset(
    `${at.prefix}:fetch:${left.captureId}`,
    'name',
    'fetch',
    'data',
    JSON.stringify(left),
    'opts',
    '{"attempts":9}',
    'timestamp',
    Date.now(),
    'delay',
    0,
  )
  await at.redis.lpush(`${at.prefix}:fetch:active`, left.captureId)
  await at.until(async () => expect(await at.queues.has('clean', left.captureId)).toBe(true))
})

test('a worker that begins behind a shut valve begins when it flows', async () => {
  const { valve, turn } = handValve()
  turn(false)
  const at = await running(
    fetchLike(async () => next({ text: 'x' })),
    { valves: [valve] },
  )
  const captureId = await at.ingest()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await at.queues.has('fetch', captureId)).toBe(true)
  turn(true)
  await at.until(async () => expect(await at.queues.has('clean', captureId)).toBe(true))
})

test('a site that puts a page off for longer than a month makes a dead letter; our own stores never do', async () => {
  let runs = 0
  const at = await running(
    fetchLike(async () => {
      runs += 1
      // Ours for longer than the limit, the site's once, ours again for longer than the limit, then the site's.
      throw new RateLimitedError(runs === 7 || runs > 13 ? 'rate-limited' : 'search-unavailable', 20, 'not now')
    }),
    { limitedMs: 100 },
  )
  await at.ingest()
  await at.until(async () => expect(await at.counted('failed')).toBe(1))
  expect(runs).toBe(14)
  expect(at.ends).toMatchObject([{ code: 'rate-limited', cause: 'not now' }])
})

/** A way to Redis on which sockets can fall silent: they pass no bytes any more and are not closed. New ones work. */
async function fallingSilent(redisUrl: string) {
  const { hostname, port } = new URL(redisUrl)
  const sockets = new Set<Socket>()
  const hush = new Set<() => void>()
  const server = createServer((inner) => {
    const outer = connect(Number(port), hostname)
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
    hush.add(() => {
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        from.unpipe(to)
        from.resume()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  const url = `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const silence = () => {
    const count = hush.size
    for (const each of hush) each()
    hush.clear()
    return count
  }
  return { url, silence }
}

test('sockets that fall silent for ever are dropped, and the worker takes jobs again', { timeout: 60_000 }, async () => {
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => void rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  onTestFinished(() => void process.off('unhandledRejection', onRejection))
  const direct = await redisPart()
  const { url, silence } = await fallingSilent(direct.redisUrl)
  const { prefix } = direct
  const silentMs = 6000
  const redis = connectRedis(url, 'worker', () => undefined, silentMs)
  const queues = createQueues({ redisUrl: url, role: 'worker', prefix, onError: () => undefined, silentMs })
  onTestFinished(async () => {
    await queues.close()
    redis.disconnect()
  })
  const registry = createRegistry(redis, { prefix, epoch: () => 'epoch-1' })
  const at = {
    deps: {},
    registry,
    queues,
    records: memoryRecords().store,
    log: silent,
    retry: { attempts: 3, baseMs: 20, maxMs: 100 },
    deadlineMs: 60_000,
    observe: () => undefined,
    now: Date.now,
  }
  const worker = startStage(
    fetchLike(async () => next({ text: 'x' })),
    at,
    { redisUrl: url, prefix, gate: openGate, concurrency: 4, lockMs: 2000, stalledCheckMs: 1000, silentMs },
  )
  onTestFinished(async () => await worker.close(500))
  const ingest = async () => {
    const envelope = fetchEnvelope()
    await direct.registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
    await direct.queues.add('fetch', envelope)
    return envelope.captureId
  }
  const done = async (captureId: CaptureId) =>
    await vi.waitFor(async () => expect(await direct.queues.has('clean', captureId)).toBe(true), { timeout: 30_000, interval: 50 })
  await done(await ingest())
  // Idle, and everything is connected.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(silence()).toBeGreaterThanOrEqual(4)
  const silentAt = Date.now()
  await done(await ingest())
  // Within the time of silence, the few seconds after which it is asked, and a reconnect.
  expect(Date.now() - silentAt).toBeLessThan(silentMs * 2 + 3000)
  await done(await ingest())
  expect(rejections).toEqual([])
})

test(
  'a full Redis is asked every other second, not thousands of times, and work goes on when there is room',
  { timeout: 60_000 },
  async () => {
    const { url } = await ownRedis()
    const part = await redisPart('epoch-1', url)
    const { redis, registry, queues, prefix } = part
    const errors: object[] = []
    const log = { ...silent, error: (fields: object) => void errors.push(fields), child: () => log }
    let debugs = 0
    log.debug = () => void (debugs += 1)
    const at = {
      deps: {},
      registry,
      queues,
      records: memoryRecords().store,
      log,
      retry: { attempts: 3, baseMs: 20, maxMs: 100 },
      deadlineMs: 5000,
      observe: () => undefined,
      now: Date.now,
    }
    const ids: CaptureId[] = []
    for (let count = 0; count < 20; count += 1) {
      const envelope = fetchEnvelope()
      ids.push(envelope.captureId)
      await registry.accept(envelope, { key: envelope.captureId, urlDigest: null })
      await queues.add('fetch', envelope)
    }
    await redis.config('SET', 'maxmemory', '1')
    const before = process.cpuUsage()
    const worker = startStage(
      fetchLike(async () => next({ text: 'x' })),
      at,
      { redisUrl: url, prefix, gate: openGate, concurrency: 8, lockMs: 2000, stalledCheckMs: 1000 },
    )
    onTestFinished(async () => await worker.close(500))
    await new Promise((resolve) => setTimeout(resolve, 4000))
    const { user, system } = process.cpuUsage(before)
    expect(debugs).toBeLessThan(60)
    expect((user + system) / 1000).toBeLessThan(1500)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ reason: expect.stringMatching(/Redis is full/) as string })
    await redis.config('SET', 'maxmemory', '0')
    const again = async () => await reconcile(registry, queues, { untouchedMs: 0, againMs: 0 }, silent)
    await vi.waitFor(
      async () => {
        await again()
        for (const captureId of ids) expect(await queues.has('clean', captureId)).toBe(true)
      },
      { timeout: 20_000, interval: 500 },
    )
  },
)

test('a Redis that is late with its answers is told of, though no socket breaks', async () => {
  const said: string[] = []
  const redis = connectRedis((await redisPart()).redisUrl, 'worker', (error) => void said.push(error.message))
  onTestFinished(() => redis.disconnect())
  // A connection on which something blocks is answered nothing else meanwhile.
  const held = redis.call('BLPOP', `late-${Date.now()}`, '6')
  const late: unknown = expect.stringMatching(/^Redis does not answer: asked \d+\.\d s ago$/)
  await vi.waitFor(() => expect(said).toContainEqual(late), { timeout: 8000, interval: 100 })
  await held
})

test('a connection that is lost and back at the first try is told of', async () => {
  const { redisUrl, redis: other } = await redisPart()
  const said: string[] = []
  const redis = connectRedis(redisUrl, 'worker', (error) => void said.push(error.message))
  onTestFinished(() => redis.disconnect())
  await other.call('CLIENT', 'KILL', 'ID', String(await redis.client('ID')))
  await vi.waitFor(() => expect(said).toContain('the connection to Redis was lost and is made anew'), { timeout: 3000 })
  expect(await redis.ping()).toBe('PONG')
})
