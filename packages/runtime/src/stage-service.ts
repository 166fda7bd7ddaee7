import { checkFolder } from '@copydesk/archive'
import type { Log, Stage } from '@copydesk/pipeline'
import { createNotices, DEFAULT_RETRY, startStage, type Valve } from '@copydesk/queue'
import { createArchiveValve, watchRecords } from './archive-valve.ts'
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
  /** What the stage's own adapters wait for, for /readyz. */
  waitingFor?(): string[]
  /** Jobs are taken only while each of them flows. */
  valves?: Valve[]
  /** Calls back with why the stage's own adapters wait; null when they don't any more. */
  onReason?(listener: (reason: string | null) => void): void
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
      const valve = createArchiveValve({ check: async () => await checkFolder(env.ARCHIVE_DIR, TRIAL_BYTES), log: context.log })
      const notices = createNotices({ redis: parts.redis, prefix: parts.prefix })
      const told = (what: string) => tellWhy(notices, `${what} of ${stage.name} ${parts.processes.processId}`, context.log)
      wiring.onReason?.(told('adapter'))
      valve.onReason(told('archive'))
      const retry = { ...DEFAULT_RETRY, attempts: env.RETRY_ATTEMPTS, baseMs: env.RETRY_BASE_MS }
      const { registry, queues, records } = parts
      const { deps, deadlineMs, concurrency } = wiring
      const worker = startStage(
        stage,
        {
          deps,
          registry,
          queues,
          records: watchRecords(records, valve),
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
          valves: [valve, ...(wiring.valves ?? [])],
          silentMs: env.REDIS_SILENT_MS,
          concurrency,
          lockMs: env.LOCK_MS,
          stalledCheckMs: env.STALLED_CHECK_MS,
        },
      )
      const waiting = () => [valve.reason(), ...(wiring.waitingFor?.() ?? [])].filter((reason) => reason !== null)
      context.setWaitingFor(() => [...parts.waitingFor(), ...waiting()])
      return {
        close: async () => {
          await worker.close(env.SHUTDOWN_MS)
          valve.close()
          await wiring.close()
          await parts.close()
        },
      }
    },
  )
}

/** Room for some pages: work is tried again only where there is as much. */
const TRIAL_BYTES = 1024 * 1024

/** How long a reason stands in `status` without being said again: its process may have died. */
const SAID_MS = 30_000

/** Says in `status` what this process waits for, as long as it does. */
function tellWhy(notices: ReturnType<typeof createNotices>, name: string, log: Log): (reason: string | null) => void {
  let current: string | null = null
  const say = () =>
    void notices
      .set('waiting', name, current, SAID_MS)
      .catch((error: unknown) => log.debug({ reason: String(error) }, 'what is waited for could not be said'))
  setInterval(() => {
    if (current !== null) say()
  }, SAID_MS / 3).unref()
  return (reason) => {
    current = reason
    say()
  }
}
