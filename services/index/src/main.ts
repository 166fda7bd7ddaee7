import { createHomeStore } from '@copydesk/queue'
import { envTypes, runStageService, StageEnv } from '@copydesk/runtime'
import { createArticleIndex, createCircuit, createNames, createSearchClient, probeSearch } from '@copydesk/search'
import { indexStage } from './stage.ts'

const IndexEnv = StageEnv.extend({ INDEX_CONCURRENCY: envTypes.count.default(200) })

await runStageService(IndexEnv, indexStage, async (env, { redis, prefix }, { log }) => {
  const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
  const names = createNames(env.ARTICLES_ALIAS)
  const circuit = createCircuit({ log, probe: async () => await probeSearch(client, names) })
  const articles = createArticleIndex({ client, homes: createHomeStore(redis, prefix), log, names, circuit })
  return {
    deps: { articles },
    // At least one batch, so that a bulk is filled by jobs that wait for it.
    concurrency: env.INDEX_CONCURRENCY,
    deadlineMs: 120_000,
    valves: [circuit],
    onReason: (listener) => circuit.onReason(listener),
    waitingFor: () => [circuit.reason()].filter((reason) => reason !== null),
    close: async () => {
      circuit.close()
      await articles.close()
      await client.close()
    },
  }
})
