import { createConnection } from 'node:net'
import { CannotRun } from '../local/cannot-run.ts'
import type { Supervised, SupervisionEvents } from './processes.ts'
import { superviseLocal } from './supervise-local.ts'

const USUAL = { redis: 'redis://127.0.0.1:6379', elasticsearch: 'http://127.0.0.1:9200' }

/** The addresses of Redis and Elasticsearch: those of the environment, else local ones on the data folder, which are added to `parts`. */
export async function startStores(
  folder: string,
  env: NodeJS.ProcessEnv,
  events: SupervisionEvents,
  parts: Supervised[],
): Promise<[redis: string, elasticsearch: string]> {
  const store = async (name: 'redis' | 'elasticsearch', given: string | undefined): Promise<string> => {
    if (given) {
      await answers(name, given)
      return given
    }
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

/** The services would wait for it in silence, since a store that goes away later comes back; at the start it is more likely a mistake. */
async function answers(name: 'redis' | 'elasticsearch', address: string): Promise<void> {
  const variable = name === 'redis' ? 'REDIS_URL' : 'ELASTICSEARCH_URL'
  if (!URL.canParse(address)) throw new CannotRun(`${variable} is no address: write one like ${USUAL[name]}`)
  const { hostname, port, protocol, host } = new URL(address)
  const usualPort = protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : 6379
  const reached = await new Promise<boolean>((resolve) => {
    const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || usualPort, timeout: 5000 })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('timeout', () => resolve(false)).once('connect', () => socket.destroy())
  })
  if (!reached)
    throw new CannotRun(`nothing answers at ${host}, which ${variable} names: start it, or unset ${variable} to have a local one`)
}
