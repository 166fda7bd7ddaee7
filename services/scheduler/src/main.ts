import { createIntakeTail } from '@copydesk/archive'
import { createLease, createTasks, DEFAULT_TAIL_CHECK, reconcile, tailCheck } from '@copydesk/queue'
import { connectPipeline, loadEnv, type PipelineParts, runService } from '@copydesk/runtime'
import { createNames, createSearchClient, setUpSearch } from '@copydesk/search'
import type { Log } from '@copydesk/pipeline'
import { SchedulerEnv } from './env.ts'
import { archiveDuties } from './keep-archive.ts'
import { DAMAGED, ledgerWorks } from './keep-ledger.ts'
import { type Duty, startKeeper } from './keeper.ts'
import { createTaskRunner } from './tasks.ts'

const HOUR_MS = 3_600_000
/** How often somebody's wish for a task is looked for: who asked is waiting. */
const TASKS_MS = 1000

await runService(
  'scheduler',
  () => loadEnv(SchedulerEnv),
  async (env, context) => {
    const parts = await connectPipeline(env, context, 'worker')
    const { redis, prefix, gate } = parts
    const { log } = context
    const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
    const names = createNames(env.ARTICLES_ALIAS)
    const works = ledgerWorks({ env, parts, client, names, log })
    const tasks = createTaskRunner(createTasks({ redis, prefix }), { recover: works.recover, audit: works.audit }, log)
    const partitions = async () => {
      await setUpSearch(client, { names })
      return null
    }
    const keeper = startKeeper({
      // The tail check first: it runs at every start, as soon as the epoch is right.
      duties: [
        ...flightDuties(env, parts, log),
        { name: 'tasks', everyMs: TASKS_MS, always: true, run: async () => await tasks.look() },
        ...archiveDuties(env, parts, log),
        { name: 'partitions', everyMs: HOUR_MS, run: partitions },
        works.sample,
      ],
      lease: createLease(redis, { prefix, name: 'keeper', ms: Math.max(10_000, env.KEEPER_MS * 2) }),
      open: () => gate.epoch() !== null,
      log,
      tickMs: Math.min(1000, env.KEEPER_MS),
    })
    context.setWaitingFor(() => parts.waitingFor())
    return {
      close: async () => {
        await Promise.race([keeper.close(), new Promise((resolve) => setTimeout(resolve, env.SHUTDOWN_MS).unref())])
        await client.close()
        await parts.close()
      },
    }
  },
)

/** What keeps everything under way that was accepted. */
function flightDuties(env: SchedulerEnv, parts: PipelineParts, log: Log): Duty[] {
  const { registry, queues, archive, redis, prefix } = parts
  const tail = createIntakeTail(env.ARCHIVE_DIR, { onDamage: (damage) => log.warn(damage, DAMAGED) })
  const marks = { mark: async () => numberOrNull(await redis.get(`${prefix}:mark`)) }
  const settled = { ...DEFAULT_TAIL_CHECK, settleMs: env.INTAKE_SETTLE_MS }
  const again = { untouchedMs: env.RECONCILE_UNTOUCHED_MS, againMs: env.RECONCILE_UNTOUCHED_MS * 2 }
  return [
    {
      name: 'tail-check',
      everyMs: env.KEEPER_MS,
      run: async () => counted('accepted', await tailCheck({ registry, queues, tail, marks, ends: archive }, Date.now(), settled)),
    },
    { name: 'reconcile', everyMs: env.KEEPER_MS, run: async () => counted('added', await reconcile(registry, queues, again, log)) },
  ]
}

function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text)
}

function counted(name: string, count: number): object | null {
  return count > 0 ? { [name]: count } : null
}
