import { setTimeout as sleep } from 'node:timers/promises'
import { FailuresView } from '@copydesk/contracts'
import { ask } from '../rig/api.ts'
import { readDocuments } from '../rig/documents.ts'
import type { Drill } from '../rig/drill.ts'
import type { SearchFault } from '../rig/http-proxy.ts'
import { linesSince } from '../rig/said.ts'
import type { Naming, Scene } from '../rig/scene.ts'

const AWAY: Naming = { by: /^index|^status$/, says: /Elasticsearch/ }

/** Waiting and delayed jobs of index: what has heaped up before it. */
async function heap({ rig }: Scene): Promise<number> {
  const { waiting, delayed, active } = (await rig.status())?.stages.index ?? { waiting: 0, delayed: 0, active: 0 }
  return waiting + delayed + active
}

/** Elasticsearch can't be reached for a minute, in three ways. */
export const searchGone: Drill = {
  name: 'search-gone',
  title: 'Elasticsearch gone for 60 s: refusing, resetting, silent',
  times: 'once each; no dead letter, drained after',
  async run(scene) {
    const { elasticsearch } = scene.rig.proxies
    const awayMs = scene.small ? 4000 : 60_000
    const load = scene.load({ overMs: 3 * (awayMs + 1500) })
    for (const kind of ['refuse', 'reset', 'silent'] as const) {
      await sleep(1000)
      // A silence of a few seconds is nothing that anybody could name.
      scene.fault(`Elasticsearch gone: ${kind}`, kind === 'silent' && scene.small ? undefined : AWAY)
      await elasticsearch.set({ kind })
      await sleep(awayMs)
      const waiting = await heap(scene)
      if (waiting > 0) scene.met += 1
      scene.extra[`waiting before index, ${kind}`] = waiting
      await elasticsearch.set({ kind: 'pass' })
    }
    await load.done
    countPutBacks(scene)
  },
}

/** How often index put a job back: its circuit keeps that down, however long Elasticsearch is away. */
function countPutBacks(scene: Scene): void {
  const lines = linesSince(scene.rig.folder, scene.marks).filter(({ by }) => by.startsWith('index'))
  scene.extra['jobs put back'] = lines.filter(({ text }) => text.includes('search-unavailable') && text.includes('job put back')).length
}

/** Plays a whole load against a fault of Elasticsearch's answers, and says how much of it the fault fell on. */
async function under(scene: Scene, fault: SearchFault, overMs: number, pages?: number[]): Promise<number> {
  const { search } = scene.rig.proxies
  const before = { ...search.counts }
  search.set(fault)
  const load = scene.load({ overMs, ...(pages && { pages }) })
  await load.done
  const deadline = Date.now() + 120_000
  while ((await scene.rig.status())?.inFlight !== 0 && Date.now() < deadline) await sleep(200)
  search.set(null)
  const again = search.counts.sentAgain - before.sentAgain
  scene.check(again === 0, `${again} documents were sent again though they had been written`)
  scene.extra['documents sent'] = Number(scene.extra['documents sent'] ?? 0) + search.counts.items - before.items
  scene.extra['bulks'] = Number(scene.extra['bulks'] ?? 0) + search.counts.bulks - before.bulks
  return search.counts.faulted - before.faulted
}

function halves(scene: Scene): [number[], number[]] {
  const pages = Array.from({ length: scene.site.n }, (_, page) => page)
  return [pages.slice(0, pages.length / 2), pages.slice(pages.length / 2)]
}

/** Elasticsearch is overloaded or behind a proxy that is. */
export const searchStatuses: Drill = {
  name: 'search-statuses',
  title: 'Elasticsearch answers 429, 502, 503, 504 to 30 %',
  times: 'of whole requests, then of single documents; only what failed is sent again',
  async run(scene) {
    const overMs = scene.small ? 3000 : 30_000
    for (const [at, kind] of (['requests', 'items'] as const).entries()) {
      scene.fault(`30 % of ${kind} fail`, AWAY)
      const faulted = await under(scene, { kind, share: 0.3, statuses: [429, 502, 503, 504] }, overMs, halves(scene)[at])
      if (faulted > 0) scene.met += 1
      scene.extra[`failed ${kind}`] = faulted
    }
  },
}

/** The writes are done, and nobody hears of it. */
export const searchAnswersLost: Drill = {
  name: 'search-answers-lost',
  title: "Elasticsearch's answer is lost after the commit",
  times: '10 % of the bulks; nothing is written twice',
  async run(scene) {
    scene.fault('answers lost', AWAY)
    // The small form has few bulks: more of them are hit.
    const lost = await under(scene, { kind: 'lost-answer', share: scene.small ? 0.4 : 0.1 }, scene.small ? 4000 : 30_000)
    if (lost > 0) scene.met += 1
    scene.extra['answers lost'] = lost
  },
}

/** A bulk is on its way for so long that its worker gives it up, and a newer edition of its page is written before it arrives. */
export const searchLateWrite: Drill = {
  name: 'search-late-write',
  title: 'A write that arrives after a newer one',
  times: 'once; it loses',
  async run(scene) {
    const { rig, site, random } = scene
    const { search } = rig.proxies
    const page = random.whole(0, site.n - 1)
    const arrives = Promise.withResolvers<void>()
    const before = search.counts.faulted
    search.set({ kind: 'held', isHeld: ({ url }) => site.pageOf(String(url)) === page, release: arrives.promise })
    scene.fault('a bulk on its way')
    const first = scene.load({ again: false, overMs: 1000 })
    await until(() => search.counts.faulted > before)
    search.set(null)
    const second = scene.load({ pages: [page], again: false, changed: true })
    await until(async () => (await readDocuments(scene)).get(page)?.[0]?.text === site.paragraphs(page).join('\n\n'))
    scene.met += 1
    arrives.resolve()
    await Promise.all([first.done, second.done])
    // It must have had the time to do harm.
    await sleep(1000)
  },
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds()) && Date.now() < deadline) await sleep(200)
}

/** One document in a hundred is refused; when the cause is mended, a retry brings it in. */
export const searchRejects: Drill = {
  name: 'search-rejects',
  title: '1 % of documents rejected',
  times: 'each a dead letter with the reason, the rest is indexed; `retry` brings them in when the cause is mended',
  async run(scene) {
    const { site, random, rig } = scene
    const all = Array.from({ length: site.n }, (_, page) => page)
    const bad = new Set(random.shuffled(all).slice(0, Math.max(2, Math.round(site.n / 100))))
    const isBad: (document: Record<string, unknown>) => boolean = ({ url }) => bad.has(site.pageOf(String(url)) ?? -1)
    scene.fault('1 % rejected', { by: /^index/, says: /search-rejected/ })
    if ((await under(scene, { kind: 'reject', isBad }, scene.small ? 2000 : 20_000)) >= bad.size) scene.met += 1
    const { failures } = FailuresView.parse(await ask(rig, 'GET', '/failures?size=1000'))
    const mine = failures.filter(({ url }) => url !== null && site.pageOf(url) !== null)
    const pages = new Set(mine.map(({ url }) => site.pageOf(url!)))
    scene.extra['dead letters'] = mine.length
    scene.check(pages.size === bad.size && [...bad].every((page) => pages.has(page)), 'other pages than the rejected ones are dead letters')
    scene.check(
      mine.every(({ code, cause }) => code === 'search-rejected' && cause.includes('Elasticsearch refuses the document')),
      `the reason is missing: ${mine[0]?.cause}`,
    )
    for (const { captureId } of mine) await ask(rig, 'POST', `/failures/${captureId}/retry`)
  },
}

/** A bulk is larger than what stands before Elasticsearch lets through. */
export const searchTooLarge: Drill = {
  name: 'search-too-large',
  title: 'A 413',
  times: 'for every bulk of more than 10 documents; split, all indexed',
  async run(scene) {
    scene.fault('bulks of more than 10 documents are too large')
    const faulted = await under(scene, { kind: 'too-large', documents: scene.small ? 2 : 10 }, scene.small ? 1000 : 10_000)
    if (faulted > 0) scene.met += 1
    scene.extra['answered 413'] = faulted
  },
}

/** Elasticsearch's disk is full: it makes its indices read-only. */
export const searchBlocked: Drill = {
  name: 'search-blocked',
  title: 'A read-only block for 60 s',
  times: 'once; circuit and drain, no dead letter',
  async run(scene) {
    const { client, alias } = scene.rig
    const awayMs = scene.small ? 5000 : 60_000
    const block = async (on: boolean | null): Promise<void> =>
      void (await client.indices.putSettings({
        index: `${alias}_v1-*`,
        settings: { 'index.blocks.read_only_allow_delete': on },
      }))
    const load = scene.load({ overMs: awayMs })
    await sleep(1000)
    scene.fault('indices read-only', { by: /^index|^status$/, says: /writing is blocked|cluster_block/ })
    await block(true)
    await sleep(awayMs)
    const waiting = await heap(scene)
    scene.extra['waiting before index'] = waiting
    if (waiting > 0) scene.met += 1
    await block(null)
    await load.done
    countPutBacks(scene)
  },
}
