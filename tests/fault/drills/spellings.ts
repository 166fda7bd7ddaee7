import { setTimeout as sleep } from 'node:timers/promises'
import { IngestResponse } from '@copydesk/contracts'
import { Queue } from 'bullmq'
import type { Drill } from '../rig/drill.ts'

/** Ways in which one address comes in. */
const SPELLINGS: ((url: string) => string)[] = [
  (url) => url,
  (url) => `${url}#comments`,
  (url) => `${url}?utm_source=letter&fbclid=1`,
  (url) => url.replace('http:', 'HTTP:').replace(/\/(\d+)$/, '/./$1'),
  (url) => `${url}/?`,
]
const CLIENTS = 10

/** Everybody hands in the same pages at once, while nothing is fetched. */
export const spellings: Drill = {
  name: 'spellings',
  title: 'Each URL five times in five spellings from ten clients, while fetch is paused',
  times: 'one fetch, one document',
  async run(scene) {
    const { rig, site, random } = scene
    scene.strict = true
    const connection = { host: '127.0.0.1', port: rig.redis.port, password: rig.redis.password }
    const queue = new Queue('fetch', { connection, prefix: rig.prefix })
    await queue.pause()
    try {
      const items = Array.from({ length: site.n }, (_, page) => SPELLINGS.map((spell) => ({ page, url: spell(site.url(page)) }))).flat()
      const shuffled = random.shuffled(items)
      scene.fault('each URL five times')
      const load = scene.load({ pages: [] })
      const client = async (own: typeof items): Promise<void> => {
        for (let at = 0; at < own.length; at += 50) {
          const part = own.slice(at, at + 50)
          const body = JSON.stringify({ items: part.map(({ url }) => ({ url })) })
          const headers = { 'content-type': 'application/json' }
          const answer = await fetch(`${rig.api}/api/v1/ingest`, { method: 'POST', headers, body })
          for (const [index, result] of IngestResponse.parse(await answer.json()).results.entries())
            if ('captureId' in result) load.answered.set(result.captureId, part[index]!.page)
        }
      }
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, at) => await client(shuffled.filter((_item, index) => index % CLIENTS === at))),
      )
      await sleep(500)
      scene.check(site.requests() === 0, `${site.requests()} pages were fetched while fetch was paused`)
      scene.met += load.answered.size === items.length ? 1 : 0
    } finally {
      await queue.resume()
      await queue.close()
    }
    const deadline = Date.now() + 120_000
    while ((await rig.status())?.inFlight !== 0 && Date.now() < deadline) await sleep(200)
    const repeated = Array.from({ length: site.n }, (_, page) => site.requestsOf(page)).filter((times) => times !== 1)
    scene.check(repeated.length === 0, `${repeated.length} pages were not fetched exactly once`)
  },
}
