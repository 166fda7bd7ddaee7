import { elasticsearchRecipe } from '../local/elasticsearch.ts'
import { redisRecipe } from '../local/redis.ts'
import { ensureLocal, stopLocalService, type LocalService } from '../local/local-service.ts'
import { identify, isAlive, type ProcessIdentity } from '../local/process-identity.ts'
import { backOff } from './back-off.ts'
import { latch } from './latch.ts'
import { isDeadly, type Supervised, type SupervisionEvents } from './processes.ts'

const LOOK_MS = 250

const KINDS = {
  redis: { recipe: redisRecipe, health: (url: string) => url },
  elasticsearch: { recipe: elasticsearchRecipe, health: (url: string) => `${url}/_cluster/health` },
} as const

/**
 * Starts the local Redis or Elasticsearch of a data folder (or takes the running one) and starts it again on the same port when it dies.
 * It isn't always our child, so it is looked at by its pid.
 */
export async function superviseLocal(
  name: keyof typeof KINDS,
  folder: string,
  events: SupervisionEvents,
): Promise<Supervised & { url: string }> {
  const { recipe, health } = KINDS[name]
  const { next: nextWait } = backOff()
  const first = await ensureLocal(recipe, { folder, log: events.notice })
  let who = identity(first)
  let since = Date.now()
  let up = true
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  let starting = Promise.resolve()
  let ready = latch()
  ready.open()

  function look(): void {
    if (stopping) return
    if (up && who && isAlive(who)) {
      timer = setTimeout(look, LOOK_MS)
      return
    }
    if (up) {
      up = false
      if (ready.isOpen()) ready = latch()
    }
    const wait = nextWait(Date.now() - since)
    events.notice(`the local ${name} ended; it starts again in ${wait / 1000} s`)
    timer = setTimeout(() => {
      starting = startAgain()
    }, wait)
  }

  async function startAgain(): Promise<void> {
    if (stopping) return
    since = Date.now()
    try {
      who = identity(await ensureLocal(recipe, { folder, log: events.notice, port: first.port }))
      up = true
      ready.open()
    } catch (error) {
      events.notice((error as Error).message)
    }
    look()
  }

  timer = setTimeout(look, LOOK_MS)
  return {
    name,
    url: first.url,
    info: () => ({ name, pid: up ? (who?.pid ?? null) : null, health: health(first.url) }),
    ready: () => ready.opened(),
    kill(signal) {
      if (isDeadly(signal) && ready.isOpen()) ready = latch()
      if (who && isAlive(who)) process.kill(who.pid, signal)
    },
    async restart() {
      clearTimeout(timer)
      up = false
      if (ready.isOpen()) ready = latch()
      await stopLocalService(recipe, folder)
      starting = startAgain()
      await ready.opened()
    },
    async stop() {
      stopping = true
      clearTimeout(timer)
      // One that is just coming up would outlive this.
      await starting
      await stopLocalService(recipe, folder)
    },
  }
}

function identity({ pid }: LocalService): ProcessIdentity | null {
  return identify(pid)
}
