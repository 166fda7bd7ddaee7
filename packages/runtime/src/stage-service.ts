import type { Stage } from '@copydesk/pipeline'
import { DEFAULT_RETRY, startStage } from '@copydesk/queue'
import { loadEnv, type StageEnv } from './load-env.ts'
import { connectPipeline, type PipelineParts } from './pipeline-parts.ts'
import { runService, type ServiceContext } from './service.ts'
import type { z } from 'zod'

export interface StageWiring<Deps> {
  deps: Deps
  /** Jobs at once in this process. */
  concurrency: number
  /** How long one job may take, in milliseconds. */
  deadlineMs: number
  /** What the stage's own adapters wait for. */
  waitingFor?(): string[]
  close(): Promise<void>
}

/** Runs a stage as a service: `wire` makes what the stage depends on, the rest is the same for all. */
export async function runStageService<Env extends StageEnv, Input, Output, Deps>(
  schema: z.ZodType<Env>,
  stage: Stage<Input, Output, Deps>,
  wire: (env: Env, parts: PipelineParts, context: ServiceContext) => Promise<StageWiring<Deps>>,
): Promise<void> {
  await runService(
    stage.name,
    () => loadEnv(schema),
    async (env, context) => {
      const parts = await connectPipeline(env, context, 'worker')
      const wiring = await wire(env, parts, context)
      const retry = { ...DEFAULT_RETRY, attempts: env.RETRY_ATTEMPTS, baseMs: env.RETRY_BASE_MS }
      const { registry, queues, records } = parts
      const { deps, deadlineMs, concurrency } = wiring
      const worker = startStage(
        stage,
        {
          deps,
          registry,
          queues,
          records,
          log: context.log,
          retry,
          deadlineMs,
          observe: (job) => context.metrics.observe(job),
          now: Date.now,
        },
        {
          redisUrl: env.REDIS_URL,
          prefix: parts.prefix,
          gate: parts.gate,
          concurrency,
          lockMs: env.LOCK_MS,
          stalledCheckMs: env.STALLED_CHECK_MS,
        },
      )
      context.setWaitingFor(() => [...parts.waitingFor(), ...(wiring.waitingFor?.() ?? [])])
      return {
        close: async () => {
          await worker.close(env.SHUTDOWN_MS)
          await wiring.close()
          await parts.close()
        },
      }
    },
  )
}
