import { createGuard } from '@copydesk/http'
import { sniffBinary } from '@copydesk/extraction'
import { freeBytes } from '@copydesk/archive'
import { createCeilings, createFailures, createIntake, createTasks, createViews } from '@copydesk/queue'
import { ConfigError, connectPipeline, runService } from '@copydesk/runtime'
import { createNames, createSearchClient, getArticle, search } from '@copydesk/search'
import { readApiEnv } from './env.ts'
import { createApi } from './server.ts'

await runService('api', readApiEnv, async (env, context) => {
  const { log } = context
  const parts = await connectPipeline(env, context, 'producer')
  const { redis, registry, queues, archive, gate, prefix } = parts
  const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
  const names = createNames(env.ARTICLES_ALIAS)
  const guard = createGuard({ allowCidrs: env.FETCH_ALLOW_CIDRS })
  const ceilings = createCeilings({
    redis,
    prefix,
    limits: { redisBytes: env.INTAKE_MAX_REDIS_BYTES, diskBytes: env.INTAKE_MIN_FREE_BYTES, inFlight: env.INTAKE_MAX_IN_FLIGHT },
    freeBytes: async () => await freeBytes(env.ARCHIVE_DIR),
  })
  const intake = createIntake({ registry, queues, archive, gate, log, ceilings })
  const views = createViews({ redis, registry, queues, gate, prefix })
  const app = createApi({
    ingest: {
      take: async (requests) => await intake.take(requests, 'api'),
      refuses: (url) => guard.checkUrl(url)?.evidence ?? null,
      binary: sniffBinary,
    },
    views,
    deadLetters: createFailures({ registry, queues, ends: archive, views }),
    tasks: createTasks({ redis, prefix }),
    articles: {
      search: async (query) => await search(client, query, names),
      article: async (articleId) => await getArticle(client, articleId, names),
    },
    health: context.health,
    log,
  })
  const url = await app.listen({ host: env.API_HOST, port: env.API_PORT }).catch((cause: unknown) => {
    throw new ConfigError(
      `API_PORT=${env.API_PORT} can't be used (${cause instanceof Error ? cause.message : String(cause)}): set another port`,
      { cause },
    )
  })
  context.setWaitingFor(() => parts.waitingFor())
  return {
    notice: { api: url.replace('0.0.0.0', '127.0.0.1') },
    close: async () => {
      await app.close()
      await client.close()
      await parts.close()
    },
  }
})
