import { CaptureId } from '@copydesk/contracts'
import type { Stage } from '@copydesk/pipeline'
import { DelayedError, type Job, Worker } from 'bullmq'
import { redisOptions } from '../connection/redis.ts'
import type { EpochGate } from '../epoch-gate.ts'
import { endCapture, JobLeftError, runJob, type JobDeps } from './run-job.ts'

export interface StageOptions {
  redisUrl: string
  prefix: string
  gate: EpochGate
  concurrency: number
  /** How long a job may go unrenewed before another worker takes it, in milliseconds. */
  lockMs?: number
  /** How often to look for such jobs, in milliseconds. */
  stalledCheckMs?: number
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

/** Runs a stage as a queue worker. All that a stage needs around it happens here, once: see run-job.ts for the order. */
export function startStage<Input, Output, Deps>(stage: Stage<Input, Output, Deps>, at: JobDeps<Deps>, options: StageOptions): StageWorker {
  const log = at.log.child({ stage: stage.name })
  const deps: JobDeps<Deps> = { ...at, log }
  const leaving = new AbortController()
  const running = new Set<Promise<unknown>>()
  let lastSeen = Date.now()

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
      connection: redisOptions(options.redisUrl, 'worker'),
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: options.lockMs ?? 30_000,
      stalledInterval: options.stalledCheckMs ?? 30_000,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: 1000,
      autorun: false,
    },
  )

  async function process(job: Job, token: string | undefined, cancelled: AbortSignal): Promise<void> {
    const disposal = await runJob(stage, CaptureId.parse(job.id), cancelled, deps)
    if (disposal.kind === 'done') return
    await job.moveToDelayed(Date.now() + disposal.ms, token)
    throw new DelayedError()
  }

  worker.on('error', (error) => log.debug({ reason: error.message }, 'queue connection'))
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

  let gone = false
  const open = (isOpen: boolean) => {
    if (gone) return
    const failed = (error: unknown) => log.error({ reason: String(error) }, 'the worker stopped')
    if (!isOpen) void worker.pause().catch(failed)
    else if (worker.isPaused()) void worker.resume()
    else if (!worker.isRunning()) void worker.run().catch(failed)
  }
  options.gate.onChange(open)
  if (options.gate.epoch() !== null) open(true)

  async function close(deadlineMs: number): Promise<void> {
    gone = true
    // close() never settles while Redis is away (taskforcesh/bullmq#4656): race it, then let go of what is under way.
    const closed = worker.close().catch(() => undefined)
    const timer = new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())
    await Promise.race([closed, timer])
    leaving.abort(new JobLeftError('shutting down'))
    await Promise.race([closed, Promise.allSettled(running), new Promise((resolve) => setTimeout(resolve, 500).unref())])
  }

  return {
    active: () => running.size,
    lastSeen: () => lastSeen,
    close,
    [Symbol.asyncDispose]: async () => await close(10_000),
  }
}
