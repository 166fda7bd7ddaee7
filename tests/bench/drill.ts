import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSearchClient } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'
import { type Site, startOrigin } from '../fault/rig/origin.ts'
import { countDocuments } from './documents.ts'
import type { Peer, Running } from './peers/peer.ts'
import { redisNumbers } from './redis-numbers.ts'
import { type Kill, scheduleKills } from './schedule.ts'
import { cpuSecondsOf, type Usage, watchUsage } from './usage.ts'

export interface DrillOptions {
  /** Pages; half of them change once and are ingested again. */
  pages: number
  kills: number
  overSeconds: number
  seed: number
  /** The name of its index, or what stands before its indices. */
  index: string
  elasticsearch: { url: string; pid: number }
  notice: (line: string) => void
  /** Ends it before its time. */
  signal: AbortSignal
}

export interface DrillResult {
  /** Pages whose document is missing, or has the old content. */
  lost: number
  missing: number
  old: number
  /** Documents beyond the first of a page. */
  doubled: number
  /** Pages among the lost that still wait or have failed. */
  stuck: number
  /** Kills that met a pipeline with work under way. */
  killsUnderLoad: number
  /** From the first ingest until nothing was under way. */
  seconds: number
  originRequests: number
  cpuSeconds: number
  redisCpuSeconds: number | null
  elasticsearchCpuSeconds: number
  peakMemoryMiB: number
  peakProportionalMiB: number
  redisPeakMiB: number | null
}

/** How long the origin takes to answer, so that work is under way when a kill comes. */
const ORIGIN_MS = 200
/** A pipeline that gets nothing done for so long, after the last kill, is taken as it is. */
const STUCK_MS = 120_000
/** The shares of the kills' time in which the pages come: the last page, and how much later a changed page comes again. */
const [FIRST, AGAIN] = [0.6, 0.3]
const TICK_MS = 500

/** Runs a pipeline through the drill: pages come evenly over the time of the kills, half of them again after a change, while its workers are killed. */
export async function runDrill(peer: Peer, options: DrillOptions): Promise<DrillResult> {
  const { index, elasticsearch, notice } = options
  const folder = await mkdtemp(join(tmpdir(), 'copydesk-bench-'))
  const origin = await startOrigin()
  const site = origin.site('bench', options.pages)
  site.answerMs = ORIGIN_MS
  const client = createSearchClient({ url: elasticsearch.url })
  const elasticsearchBefore = cpuSecondsOf(elasticsearch.pid)
  const running = await peer.start({ folder, elasticsearchUrl: elasticsearch.url, index, originPort: origin.port, notice })
  const usage = watchUsage(running.roots)
  try {
    const { seconds, killsUnderLoad } = await Promise.race([play(running, site, usage, options), aborted(options.signal)])
    usage.look()
    return {
      ...(await judge(client, running, site)),
      killsUnderLoad,
      seconds,
      originRequests: site.requests(),
      cpuSeconds: usage.cpuSeconds(),
      elasticsearchCpuSeconds: cpuSecondsOf(elasticsearch.pid) - elasticsearchBefore,
      peakMemoryMiB: usage.peakMemoryMiB(),
      peakProportionalMiB: usage.peakProportionalMiB(),
      ...(await redisNumbers(running.redis)),
    }
  } finally {
    usage.stop()
    await running.stop()
    await origin.close()
    await client.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Feeds and kills, and waits until it is over. */
async function play(running: Running, site: Site, usage: Usage, options: DrillOptions) {
  const began = performance.now()
  const kills = scheduleKills(options.kills, options.overSeconds, options.seed)
  const [killsUnderLoad] = await Promise.all([killAll(running, kills, usage), feed(running, site, options)])
  await settle(running, options.notice)
  return { killsUnderLoad, seconds: (performance.now() - began) / 1000 }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(new Error('interrupted'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

async function feed(running: Running, site: Site, { pages, overSeconds }: DrillOptions): Promise<void> {
  const spanMs = overSeconds * 1000
  const began = performance.now()
  for (let [first, again] = [0, 0]; again < pages;) {
    const share = (performance.now() - began) / spanMs
    const due = (delay: number): number => Math.min(pages, Math.ceil(((share - delay) / FIRST) * pages))
    const batch = range(first, due(0))
    const changed = range(again, due(AGAIN)).filter((page) => page % 2 === 0)
    for (const page of changed) site.change(page)
    const urls = [...batch, ...changed].map((page) => site.url(page))
    if (urls.length > 0) await running.ingest(urls)
    first = Math.max(first, due(0))
    again = Math.max(again, due(AGAIN))
    await sleep(TICK_MS)
  }
}

async function killAll(running: Running, kills: Kill[], usage: Usage): Promise<number> {
  const began = performance.now()
  let underLoad = 0
  for (const { atMs, victim } of kills) {
    await sleep(Math.max(0, began + atMs - performance.now()))
    while (running.workers().length === 0) await sleep(10)
    if ((await running.inFlight()) > 0) underLoad += 1
    usage.look()
    const workers = running.workers()
    running.kill(workers[Math.floor(victim * workers.length)]?.name ?? '')
  }
  return underLoad
}

/** Waits until nothing is under way, or nothing has moved for too long. */
async function settle(running: Running, notice: (line: string) => void): Promise<void> {
  let [last, since, told] = [-1, performance.now(), performance.now()]
  for (;;) {
    const left = await running.inFlight()
    if (left === 0) return
    const now = performance.now()
    if (left !== last) [last, since] = [left, now]
    if (now - since > STUCK_MS) return
    if (now - told > 15_000) {
      told = now
      notice(`${left} pages are under way`)
    }
    await sleep(250)
  }
}

async function judge(client: Client, running: Running, site: Site) {
  const found = await countDocuments(client, running.documents)
  const all = range(0, site.n).map((page) => ({ page, texts: found.get(site.url(page)) ?? [] }))
  const missing = all.filter(({ texts }) => texts.length === 0)
  // Every paragraph names its edition.
  const isNew = (page: number) => (text: string) => site.paragraphs(page).some((paragraph) => text.includes(paragraph))
  const old = all.filter(({ page, texts }) => texts.length > 0 && !texts.every(isNew(page)))
  const without = new Set([...missing, ...old].map(({ page }) => site.url(page)))
  return {
    lost: without.size,
    missing: missing.length,
    old: old.length,
    doubled: all.reduce((sum, { texts }) => sum + Math.max(0, texts.length - 1), 0),
    stuck: await running.stuck(without),
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at)
}
