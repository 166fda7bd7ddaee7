import { CaptureId } from '@copydesk/contracts'
import type { Stage } from '@copydesk/pipeline'
import { DelayedError, type Job, Worker } from 'bullmq'
import { connectRedis } from '../connection/redis.ts'
import type { EpochGate } from '../epoch-gate.ts'
import { createBreather } from './breather.ts'
import { type Disposal, endCapture, JobLeftError, runJob, type JobDeps } from './run-job.ts'
import { steer, type Valve } from './valve.ts'

export interface StageOptions {
  redisUrl: string
  prefix: string
  gate: EpochGate
  /** What the stage's jobs wait for beside the gate: while one of them is shut no job is taken. */
  valves?: Valve[]
  concurrency: number
  /** How long a job may go unrenewed before another worker takes it, in milliseconds. */
  lockMs?: number
  /** How often to look for such jobs, in milliseconds. */
  stalledCheckMs?: number
  /** How long a socket to Redis that is waited on may be silent, in milliseconds; more than the longest blocking read, 5 s. */
  silentMs?: number
}

export interface StageWorker extends AsyncDisposable {
  /** Jobs under way in this process. */
  active(): number
  /** When Redis last answered this worker (ms since 1970). */
  lastSeen(): number
  /** Takes no more jobs, lets those under way finish, and after `deadlineMs` lets them go: another worker goes on with them. */
  close(deadlineMs: number): Promise<void>
}

/** BullMQ gives a job up after this many lost locks; a worker's death counts against nothing, so that is far away. */
const MAX_STALLED = 50
const GIVEN_UP = 'job stalled more than allowable limit'
/** When a job comes back that was taken just as a valve shut, in milliseconds. */
const HELD_MS = 1000

/** Runs a stage as a queue worker. All that a stage needs around it happens here, once: see run-job.ts for the order. */
export function startStage<Input, Output, Deps>(stage: Stage<Input, Output, Deps>, at: JobDeps<Deps>, options: StageOptions): StageWorker {
  const log = at.log.child({ stage: stage.name })
  const deps: JobDeps<Deps> = { ...at, log }
  const leaving = new AbortController()
  const running = new Set<Promise<unknown>>()
  let lastSeen = Date.now()
  // BullMQ makes a second one of it, for the read that blocks until a job comes. Errors come through the worker.
  const connection = connectRedis(options.redisUrl, 'worker', () => undefined, options.silentMs)

  const worker = new Worker(
    stage.name,
    // BullMQ hands out a signal only to a processor of three parameters.
    async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
      lastSeen = Date.now()
      const work = process(job, token, AbortSignal.any([leaving.signal, ...(signal ? [signal] : [])]))
      running.add(work)
      try {
        await work
      } finally {
        running.delete(work)
      }
    },
    {
      connection,
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: options.lockMs ?? 30_000,
      stalledInterval: options.stalledCheckMs ?? 30_000,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 1000,
      autorun: false,
    },
  )

  const breather = createBreather(log)
  const gate: Valve = { flows: () => options.gate.epoch() !== null, onChange: (listener) => options.gate.onChange(listener) }
  const stopped = (error: unknown) => log.error({ reason: String(error) }, 'the worker stopped')
  const steering = steer(worker, [gate, breather, ...(options.valves ?? [])], stopped)

  async function process(job: Job, token: string | undefined, cancelled: AbortSignal): Promise<void> {
    // A worker that waits for a job as a valve shuts takes that one yet: it goes back untouched.
    const disposal: Disposal = steering.flows()
      ? await runJob(stage, CaptureId.parse(job.id), cancelled, deps)
      : { kind: 'delay', ms: HELD_MS }
    if (disposal.kind === 'done') return
    await job.moveToDelayed(Date.now() + disposal.ms, token)
    throw new DelayedError()
  }

  worker.on('error', (error) => {
    log.debug({ reason: error.message }, 'queue connection')
    breather.heard(error)
  })
  // A lost lock means that another worker may run the job: stop working on it. BullMQ does not do this by itself.
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const id of jobIds) worker.cancelJob(id, 'the lock was lost')
  })
  worker.on('failed', (job, error) => {
    if (job?.id !== undefined && error.message === GIVEN_UP) void giveUp(CaptureId.parse(job.id))
    else if (!(error instanceof JobLeftError)) log.warn({ captureId: job?.id, reason: error.message }, 'job left for another run')
  })

  /** A job that BullMQ gave up never reaches the processor: end it here, or the reconciler would add it for ever. */
  async function giveUp(captureId: CaptureId): Promise<void> {
    try {
      const started = await deps.registry.start(captureId, stage.name)
      if (started === null) return
      const { run, attempt, envelope } = started
      const fence = { captureId, stage: stage.name, run, attempt, ms: 0 }
      const evidence = `the worker lost this job ${MAX_STALLED} times`
      await endCapture(fence, envelope, { outcome: 'failed', code: 'stalled', evidence }, log.child({ captureId, run, attempt }), deps)
    } catch (error) {
      log.warn({ captureId, reason: String(error) }, 'a job that was given up could not be ended; the reconciler brings it back')
    }
  }

  async function close(deadlineMs: number): Promise<void> {
    steering.stop()
    // close() never settles while Redis is away (taskforcesh/bullmq#4656): race it, then let go of what is under way.
    const closed = worker.close().catch(() => undefined)
    const timer = new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())
    await Promise.race([closed, timer])
    leaving.abort(new JobLeftError('shutting down'))
    await Promise.race([closed, Promise.allSettled(running), new Promise((resolve) => setTimeout(resolve, 500).unref())])
    // What was let go of is still being put back.
    void Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1000).unref())]).then(() => connection.disconnect())
  }

  return {
    active: () => running.size,
    lastSeen: () => lastSeen,
    close,
    [Symbol.asyncDispose]: async () => await close(10_000),
  }
}
