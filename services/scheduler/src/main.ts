import { createIntakeTail } from '@copydesk/archive'
import { createLease, DEFAULT_RECONCILE, DEFAULT_TAIL_CHECK, reconcile, tailCheck } from '@copydesk/queue'
import { CommonEnv, connectPipeline, envTypes, loadEnv, runService } from '@copydesk/runtime'
import { createNames, createSearchClient, setUpSearch } from '@copydesk/search'
import { startKeeper } from './keeper.ts'

const SchedulerEnv = CommonEnv.extend({
  KEEPER_MS: envTypes.milliseconds.default(15_000),
  RECONCILE_UNTOUCHED_MS: envTypes.milliseconds.default(DEFAULT_RECONCILE.untouchedMs),
})
const HOUR_MS = 3_600_000

await runService(
  'scheduler',
  () => loadEnv(SchedulerEnv),
  async (env, context) => {
    const parts = await connectPipeline(env, context, 'worker')
    const { registry, queues, archive, redis, prefix, gate } = parts
    const { log } = context
    const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
    const tail = createIntakeTail(env.ARCHIVE_DIR)
    const marks = { mark: async () => numberOrNull(await redis.get(`${prefix}:mark`)) }
    const again = { untouchedMs: env.RECONCILE_UNTOUCHED_MS, againMs: env.RECONCILE_UNTOUCHED_MS * 2 }
    const partitions = async () => {
      await setUpSearch(client, { names: createNames(env.ARTICLES_ALIAS) })
      return null
    }
    const keeper = startKeeper({
      // The tail check first: it runs at every start, as soon as the epoch is right.
      duties: [
        {
          name: 'tail-check',
          everyMs: env.KEEPER_MS,
          run: async () =>
            counted('accepted', await tailCheck({ registry, queues, tail, marks, ends: archive }, Date.now(), DEFAULT_TAIL_CHECK)),
        },
        { name: 'reconcile', everyMs: env.KEEPER_MS, run: async () => counted('added', await reconcile(registry, queues, again, log)) },
        { name: 'partitions', everyMs: HOUR_MS, run: async () => await partitions() },
      ],
      lease: createLease(redis, { prefix, name: 'keeper', ms: Math.max(30_000, env.KEEPER_MS * 3) }),
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

function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text)
}

function counted(name: string, count: number): object | null {
  return count > 0 ? { [name]: count } : null
}
