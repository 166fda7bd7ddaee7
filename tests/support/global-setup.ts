import { join } from 'node:path'
import { ensureElasticsearch, ensureRedis, stopLocal } from '@copydesk/cli'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string
    elasticsearchUrl: string
  }
}

/** The tests' own data folder: never that of a system somebody works with. Another server's version has one of its own. */
const FOLDER = join(import.meta.dirname, '../../.local', process.env['COPYDESK_TEST_STORES'] ?? 'test')

/** One real Redis and one real Elasticsearch for all tests that need them; the environment's, where set. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = (line: string) => process.stderr.write(`${line}\n`)
  const { REDIS_URL, ELASTICSEARCH_URL } = process.env
  const options = { folder: FOLDER, log }
  const [redis, elasticsearch] = await Promise.all([
    REDIS_URL ? { url: REDIS_URL, started: false } : ensureRedis(options),
    ELASTICSEARCH_URL ? { url: ELASTICSEARCH_URL, started: false } : ensureElasticsearch(options),
  ])
  project.provide('redisUrl', redis.url)
  project.provide('elasticsearchUrl', elasticsearch.url)
  return async () => {
    if (redis.started || elasticsearch.started) await stopLocal(FOLDER)
  }
}
