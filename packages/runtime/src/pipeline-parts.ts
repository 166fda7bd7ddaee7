import { checkFolder, createArchive, createArchiveReader, createRecordStore, hasSegments, readEpoch, writeEpoch } from '@copydesk/archive'
import { everySoOften } from '@copydesk/pipeline'
import { checkRedis, connectRedis, createEpochGate, createQueues, createRegistry, redisReady, UnfitRedisError } from '@copydesk/queue'
import { type CommonEnv, ConfigError } from './load-env.ts'
import { createProcessLeases } from './process-leases.ts'
import type { ServiceContext } from './service.ts'

export type PipelineParts = Awaited<ReturnType<typeof connectPipeline>>

/**
 * Connects what every service of the pipeline needs: Redis (checked), the epoch gate, queues, registry, archive. Waits for a Redis that is away.
 * Throws ConfigError where Redis is unfit. `role`: workers wait for Redis in mid-work, producers answer at once that it is away.
 */
export async function connectPipeline(env: CommonEnv, context: ServiceContext, role: 'worker' | 'producer') {
  const { log } = context
  const prefix = env.REDIS_PREFIX
  // A Redis that is away makes thousands of errors.
  const onError = everySoOften(5000, (error: Error) => log.warn({ reason: error.message }, 'Redis connection'))
  const silentMs = env.REDIS_SILENT_MS
  const redis = connectRedis(env.REDIS_URL, role, onError, silentMs)
  context.setWaitingFor(() => ['Redis: no connection yet'])
  await fitRedis(redis, context)
  await fitArchive(env.ARCHIVE_DIR, context)
  const processes = createProcessLeases(redis, prefix, env.SEGMENT_MS, log)
  const archive = createArchive({ folder: env.ARCHIVE_DIR, log, processId: processes.processId, rotateMs: env.SEGMENT_MS })
  const reader = createArchiveReader({ folder: env.ARCHIVE_DIR })
  const epochStore = {
    read: async () => await readEpoch(env.ARCHIVE_DIR),
    write: async (epoch: string) => await writeEpoch(env.ARCHIVE_DIR, epoch),
    hasSegments: async () => await hasSegments(env.ARCHIVE_DIR),
  }
  const gate = createEpochGate({ redis, store: epochStore, prefix, log })
  await gate.start()
  const registry = createRegistry(redis, { prefix, epoch: gate.epoch })
  const queues = createQueues({ redisUrl: env.REDIS_URL, role, prefix, onError, silentMs })
  return {
    redis,
    prefix,
    gate,
    epochStore,
    processes,
    registry,
    queues,
    archive,
    reader,
    records: createRecordStore(archive, reader),
    /** What the pipeline waits for: Redis, or an archive that belongs to it. */
    waitingFor(): string[] {
      if (redis.status !== 'ready') return ['Redis does not answer: is it running?']
      const reason = gate.reason()
      return reason === null ? [] : [reason]
    },
    async close(): Promise<void> {
      gate.close()
      await archive.close()
      await reader.close()
      // Neither settles while Redis is away, and nothing is lost by leaving.
      const closed = Promise.all([queues.close(), processes.close()])
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500).unref())])
      redis.disconnect()
    },
  }
}

async function fitRedis(redis: ReturnType<typeof connectRedis>, context: ServiceContext): Promise<void> {
  while (!(await redisReady(redis, 1000))) context.leaving.throwIfAborted()
  try {
    await checkRedis(redis)
  } catch (error) {
    if (error instanceof UnfitRedisError) throw new ConfigError(error.message, { cause: error })
    throw error
  }
}

/** Waits for a folder that can be written: a disk may be mounted later, or be made room on. */
async function fitArchive(folder: string, context: ServiceContext): Promise<void> {
  const { log, leaving } = context
  let said = ''
  for (;;) {
    leaving.throwIfAborted()
    try {
      await checkFolder(folder)
      return
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      context.setWaitingFor(() => [reason])
      if (reason !== said) log.error({ reason }, 'waiting: the archive can not be used')
      said = reason
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}
