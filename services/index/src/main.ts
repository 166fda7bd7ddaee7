import { createHomeStore } from '@copydesk/queue'
import { envTypes, runStageService, StageEnv } from '@copydesk/runtime'
import { createArticleIndex, createNames, createSearchClient } from '@copydesk/search'
import { indexStage } from './stage.ts'

const IndexEnv = StageEnv.extend({ INDEX_CONCURRENCY: envTypes.count.default(200) })

await runStageService(IndexEnv, indexStage, async (env, { redis, prefix }, { log }) => {
  const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
  const articles = createArticleIndex({ client, homes: createHomeStore(redis, prefix), log, names: createNames(env.ARTICLES_ALIAS) })
  return {
    deps: { articles },
    // At least one batch, so that a bulk is filled by jobs that wait for it.
    concurrency: env.INDEX_CONCURRENCY,
    deadlineMs: 120_000,
    close: async () => {
      await articles.close()
      await client.close()
    },
  }
})
