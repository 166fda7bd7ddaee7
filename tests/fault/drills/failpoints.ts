import { setTimeout as sleep } from 'node:timers/promises'
import { CaptureView, FailuresView } from '@copydesk/contracts'
import { ask } from '../rig/api.ts'
import { BAD_PAGES } from '../rig/bad-html.ts'
import type { Drill } from '../rig/drill.ts'
import { killAtEpoch } from '../rig/first-start.ts'
import { ALL_TARGETS, createReaper, type Reaper, type Target } from '../rig/reaper.ts'
import type { Scene } from '../rig/scene.ts'
import { killScheduler } from '../rig/scheduler-kills.ts'

/** Fetches that a killed fetch has under way at most: the rig's FETCH_CONCURRENCY. */
const FETCHES = 8

/** Every place where a kill has a meaning of its own, before it and after it. */
export const failpoints: Drill = {
  name: 'failpoints',
  title: 'A kill at every failpoint, before and after',
  times: '20 × each',
  on: 'own',
  small: 60,
  // Segments are closed every two seconds, so that a rename is met; a hanging page is given up sooner.
  env: { SEGMENT_MS: '2000', PARSER_DEADLINE_MS: '4000' },
  async run(scene) {
    const wanted = scene.small ? 1 : 20
    const met = new Map<Target, number>()
    const note = (target: Target, times = 1): void => void met.set(target, (met.get(target) ?? 0) + times)
    await everydayKills(scene, wanted, note)
    for (const target of ['accept-ended:before', 'accept-ended:after'] as const) note(target, await killScheduler(scene, target, wanted))
    scene.forgets = true
    for (const name of ['restore', 'restore-totals'] as const)
      for (const side of ['before', 'after'] as const) note(`${name}:${side}`, await killScheduler(scene, `${name}:${side}`, wanted))
    for (const side of ['before', 'after'] as const) note(`epoch.write:${side}`, await killAtEpoch(scene, side, wanted))
    const missed = ALL_TARGETS.filter((target) => (met.get(target) ?? 0) < wanted)
    scene.check(missed.length === 0, `not met ${wanted} times: ${missed.map((target) => `${target} (${met.get(target) ?? 0})`).join(', ')}`)
    scene.met = scene.faults.length
    for (const target of ALL_TARGETS) scene.extra[target] = met.get(target) ?? 0
  },
}

/** Kills at all that everyday work passes, several processes at once, while pages come in again and again. */
async function everydayKills(scene: Scene, wanted: number, note: (target: Target) => void): Promise<void> {
  const { rig } = scene
  prepare(scene)
  const reaper = createReaper(rig, scene.random, wanted, (name, target) => {
    scene.fault(`${name} killed at ${target}`, { by: /^supervision$/, says: new RegExp(`^${name} ended`) })
    if (name.startsWith('fetch')) scene.repeats += FETCHES
    note(target)
  })
  const deadline = Date.now() + (scene.small ? 150_000 : 3_600_000)
  const feeding = feed(scene, () => reaper.left().length === 0 || Date.now() > deadline)
  while (reaper.left().length > 0 && Date.now() < deadline) {
    await sleep(250)
    reaper.tick()
    await operate(scene, reaper).catch(() => undefined)
  }
  reaper.stop()
  await feeding
  rig.proxies.search.set(null)
  await settleLetters(scene)
}

/** Pages that are put back, pages that end their parser, and pages that Elasticsearch refuses as long as the kills go on. */
function prepare({ rig, site, random, dead, small }: Scene): void {
  const pages = random.shuffled(Array.from({ length: site.n }, (_, page) => page))
  const share = small ? 4 : 30
  for (const page of pages.slice(0, share))
    site.special.set(page, (response, times) => times % 2 === 1 && Boolean(response.writeHead(503, { 'retry-after': '1' }).end()))
  const hanging = BAD_PAGES[2]!()
  for (const page of pages.slice(share, share * 2)) {
    site.special.set(page, (response) => Boolean(response.writeHead(200, { 'content-type': 'text/html' }).end(hanging)))
    dead.set(page, ['parser-died', 'parser-timeout'])
  }
  const refused = new Set(pages.slice(share * 2, share * 4))
  rig.proxies.search.set({ kind: 'reject', isBad: ({ url }) => refused.has(site.pageOf(String(url)) ?? -1) })
}

/** Hands in every page, and goes on with changed ones for as long as kills are wanted. */
async function feed(scene: Scene, enough: () => boolean): Promise<void> {
  const { rig, site, random } = scene
  const most = scene.small ? 20 : 60
  const pace = async (): Promise<void> => {
    while (!enough() && ((await rig.status().catch(() => null))?.inFlight ?? most) >= most) await sleep(200)
  }
  const all = Array.from({ length: site.n }, (_, page) => page)
  await scene.load({ again: false, pace, giveUpMs: 3_600_000 }).done
  while (!enough()) {
    const pages = random.shuffled(all).slice(0, 20)
    const load = scene.load({
      pages: [...pages, ...[...scene.dead.keys()].slice(0, 4)],
      again: false,
      changed: true,
      pace,
      giveUpMs: 3_600_000,
    })
    await load.done
  }
}

/** What an operator does meanwhile: retries dead letters, and lays some aside. */
async function operate(scene: Scene, reaper: Reaper): Promise<void> {
  const left = reaper.left()
  const wants = (['retry', 'dismiss'] as const).filter((each) => left.some((target) => target.startsWith(`${each}:`)))
  if (wants.length === 0) return
  const { failures } = FailuresView.parse(await ask(scene.rig, 'GET', '/failures?size=50'))
  const letter = failures.find(({ code }) => code === 'search-rejected')
  if (letter) await ask(scene.rig, 'POST', `/failures/${letter.captureId}/${scene.random.one(wants)}`)
}

/** The cause is mended: what was refused comes in by a retry, what was laid aside is handed in again. */
async function settleLetters(scene: Scene): Promise<void> {
  const { rig, site } = scene
  await idle(scene)
  const { failures } = FailuresView.parse(await ask(rig, 'GET', '/failures?size=1000'))
  for (const { captureId, code } of failures) if (code === 'search-rejected') await ask(rig, 'POST', `/failures/${captureId}/retry`)
  const dismissed = new Set<number>()
  for (const [id, page] of scene.loads.flatMap(({ answered }) => [...answered])) {
    const view = CaptureView.parse(await ask(rig, 'GET', `/captures/${id}`))
    if (view.outcome === 'dismissed') dismissed.add(page)
  }
  scene.extra['dismissed, handed in again'] = dismissed.size
  if (dismissed.size > 0) await scene.load({ pages: [...dismissed].filter((page) => page < site.n), again: false, changed: true }).done
  await idle(scene)
}

async function idle({ rig }: Scene): Promise<void> {
  const deadline = Date.now() + 180_000
  while ((await rig.status())?.inFlight !== 0) {
    if (Date.now() > deadline) throw new Error('the work does not end')
    await sleep(200)
  }
}
