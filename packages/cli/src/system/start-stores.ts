import type { Supervised, SupervisionEvents } from './processes.ts'
import { superviseLocal } from './supervise-local.ts'

/** The addresses of Redis and Elasticsearch: those of the environment, else local ones on the data folder, which are added to `parts`. */
export async function startStores(
  folder: string,
  env: NodeJS.ProcessEnv,
  events: SupervisionEvents,
  parts: Supervised[],
): Promise<[redis: string, elasticsearch: string]> {
  const store = async (name: 'redis' | 'elasticsearch', given: string | undefined): Promise<string> => {
    if (given) return given
    const local = await superviseLocal(name, folder, events)
    parts.push(local)
    return local.url
  }
  // Both are awaited before a failure counts, or the one that came up later would be left running.
  const [redis, elasticsearch] = await Promise.allSettled([
    store('redis', env['REDIS_URL']),
    store('elasticsearch', env['ELASTICSEARCH_URL']),
  ])
  if (redis.status === 'rejected') throw redis.reason
  if (elasticsearch.status === 'rejected') throw elasticsearch.reason
  return [redis.value, elasticsearch.value]
}
