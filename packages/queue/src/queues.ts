import { type CaptureId, type Envelope, STAGES, type StageName } from '@copydesk/contracts'
import { failpoint } from '@copydesk/pipeline'
import { type JobsOptions, Queue } from 'bullmq'
import { connectRedis, type ConnectionRole } from './connection/redis.ts'

/** Most of a job's data, in bytes: the longest address, escaped, and hints that intake has made to fit. Anything larger is a mistake of ours. */
const JOB_BYTES = 16_384

/**
 * Jobs are never kept and never given up by BullMQ: fencing makes repeats harmless, attempts are counted in the registry,
 * and a kept job would swallow the reconciler's and the retry's add of the same id.
 */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 1_000_000,
  backoff: { type: 'fixed', delay: 1000 },
  removeOnComplete: true,
  removeOnFail: true,
  sizeLimit: JOB_BYTES,
  stackTraceLimit: 1,
}

export interface StageCounts {
  waiting: number
  active: number
  delayed: number
}

export type Queues = ReturnType<typeof createQueues>

/** The four queues as producers see them, on one connection. A job's id is its captureId, so that an add is harmless while one waits or runs. */
export function createQueues(options: {
  redisUrl: string
  role: ConnectionRole
  prefix: string
  onError: (error: Error) => void
  /** As for connectRedis. */
  silentMs?: number
}) {
  const connection = connectRedis(options.redisUrl, options.role, () => undefined, options.silentMs)
  const queues = new Map<StageName, Queue>(
    STAGES.map(({ name }) => [name, new Queue(name, { connection, prefix: options.prefix, defaultJobOptions: JOB_OPTIONS })]),
  )
  for (const queue of queues.values()) queue.on('error', options.onError)
  const queueOf = (stage: StageName): Queue => {
    const queue = queues.get(stage)
    if (!queue) throw new Error(`there is no queue for the stage ${stage}`)
    return queue
  }

  return {
    async add(stage: StageName, envelope: Envelope): Promise<void> {
      failpoint('add', 'before')
      await queueOf(stage).add(stage, dataOf(envelope), { jobId: envelope.captureId })
      failpoint('add', 'after')
    },

    /** Adds many at once. */
    async addAll(stage: StageName, envelopes: Envelope[]): Promise<void> {
      if (envelopes.length === 0) return
      failpoint('add-all', 'before')
      await queueOf(stage).addBulk(
        envelopes.map((envelope) => ({ name: stage, data: dataOf(envelope), opts: { jobId: envelope.captureId } })),
      )
      failpoint('add-all', 'after')
    },

    /** Whether the stage's queue has a job of this capture, in whatever state. */
    async has(stage: StageName, captureId: CaptureId): Promise<boolean> {
      return (await queueOf(stage).getJob(captureId)) !== undefined
    },

    async counts(): Promise<Record<StageName, StageCounts>> {
      const entries = await Promise.all(
        [...queues].map(async ([name, queue]) => {
          const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed')
          const waiting = (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0)
          return [name, { waiting, active: counts['active'] ?? 0, delayed: counts['delayed'] ?? 0 }] as const
        }),
      )
      return Object.fromEntries(entries) as Record<StageName, StageCounts>
    },

    async close(): Promise<void> {
      await Promise.all([...queues.values()].map(async (queue) => await queue.close()))
      connection.disconnect()
    },
  }
}

/** What a job carries of its envelope. What to go on from may be long, and stands in the registry, from which the runner reads it. */
function dataOf(envelope: Envelope): Envelope {
  return { ...envelope, resume: undefined }
}
