import { CommonEnv, CONFIG_EXIT, ConfigError, createLogger, envTypes, loadEnv } from '@copydesk/runtime'
import { createNames, createSearchClient, setUpSearch } from '@copydesk/search'

/** Run once before the services: waits for Elasticsearch, then applies templates and this and the next month's partitions. Harmless to run again. */
const SetupEnv = CommonEnv.pick({ ELASTICSEARCH_URL: true, ARTICLES_ALIAS: true }).extend({
  SETUP_WAIT_MS: envTypes.milliseconds.default(120_000),
})

const log = createLogger({ service: 'setup', level: 'info' })
try {
  const env = loadEnv(SetupEnv)
  const names = createNames(env.ARTICLES_ALIAS)
  const client = createSearchClient({ url: env.ELASTICSEARCH_URL })
  await until(Date.now() + env.SETUP_WAIT_MS, async () => await setUpSearch(client, { names }))
  await client.close()
  log.info({}, 'the index is set up')
} catch (error) {
  log.error({ reason: error instanceof Error ? error.message : String(error) }, 'the index could not be set up')
  process.exitCode = error instanceof ConfigError ? CONFIG_EXIT : 1
}

/** Tries every second until it works or time is up; then throws the last error. */
async function until(deadline: number, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}
