import { setTimeout as sleep } from 'node:timers/promises'
import { startSystem } from '@copydesk/cli'
import { STAGES, StatusView } from '@copydesk/contracts'
import type { Peer, Running, Site } from './peer.ts'

const WORKERS: ReadonlySet<string> = new Set(STAGES.flatMap(({ name }) => [name, `${name}-2`]))

/** Copydesk itself, measured as the others are. */
export const copydesk: Peer = {
  name: 'copydesk',
  title: 'Copydesk',
  note: 'the defaults of production (30 s lock), two processes of each stage, the API and the scheduler beside them',
  prepare: async () => null,
  start,
}

async function start({ folder, elasticsearchUrl, index, originPort, notice }: Site): Promise<Running> {
  const system = await startSystem({
    folder,
    port: 0,
    notice,
    instances: { fetch: 2, clean: 2, 'extract-metadata': 2, index: 2 },
    restartMs: 0,
    env: {
      ...process.env,
      REDIS_URL: '',
      ELASTICSEARCH_URL: elasticsearchUrl,
      ARTICLES_ALIAS: index,
      FETCH_ALLOW_CIDRS: `127.0.0.1/32:${originPort}`,
    },
  })
  const running = () => system.processes().flatMap(({ name, pid }) => (pid === null ? [] : [{ name, pid }]))
  const status = async () => StatusView.parse(await (await fetch(`${system.api}/api/v1/status`)).json())
  return {
    workers: () => running().filter(({ name }) => WORKERS.has(name)),
    kill: (name) => system.kill(name, 'SIGKILL'),
    roots: () => running().flatMap(({ name, pid }) => (name === 'redis' ? [] : [pid])),
    redis: { url: system.redis, pid: running().find(({ name }) => name === 'redis')?.pid ?? 0 },
    documents: `${index}-all`,
    ingest: async (urls) => await ingest(system.api, urls),
    inFlight: async () => (await status()).inFlight,
    async stuck() {
      const { inFlight, outcomes } = await status()
      return inFlight + outcomes.failed
    },
    stop: async () => void (await system.stop({ force: true })),
  }
}

/** Hands addresses in; while intake is full or shut it asks again, as the command line does. */
async function ingest(api: string, urls: string[]): Promise<void> {
  const body = JSON.stringify({ items: urls.map((url) => ({ url })) })
  for (;;) {
    const answer = await fetch(`${api}/api/v1/ingest`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    if (answer.status === 202) return
    const reason = await answer.text()
    if (answer.status !== 429 && answer.status !== 503) throw new Error(`ingest answered ${answer.status}: ${reason}`)
    await sleep(1000)
  }
}
