import { setTimeout as sleep } from 'node:timers/promises'
import { type CaptureId, type Failure, FailuresView } from '@copydesk/contracts'
import { FAILPOINTS, type Failpoint, type FailpointSide } from '@copydesk/pipeline'
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
    const wanted = wantedOf(scene)
    const met = new Map<Target, number>()
    const note = (target: Target, times = 1): void => void met.set(target, (met.get(target) ?? 0) + times)
    const since = Date.now()
    const took = (what: string): void => void (scene.extra[`seconds until ${what}`] = Math.round((Date.now() - since) / 1000))
    const dismissed = await everydayKills(scene, wanted, note)
    took('everyday kills were done')
    for (const target of targetsOf(wanted.keys(), ['accept-ended'])) note(target, await killScheduler(scene, target, wanted.get(target)!))
    took('accept-ended was done')
    scene.forgets = true
    for (const target of targetsOf(wanted.keys(), ['restore', 'restore-totals']))
      note(target, await killScheduler(scene, target, wanted.get(target)!))
    await dismissAgain(scene, dismissed)
    took('recover was done')
    for (const target of targetsOf(wanted.keys(), ['epoch.write']))
      note(target, await killAtEpoch(scene, target.split(':')[1] as FailpointSide, wanted.get(target)!))
    const missed = [...wanted].filter(([target, times]) => (met.get(target) ?? 0) < times)
    scene.check(missed.length === 0, `not met often enough: ${missed.map(([target]) => `${target} (${met.get(target) ?? 0})`).join(', ')}`)
    scene.met = scene.faults.length
    for (const target of wanted.keys()) scene.extra[target] = met.get(target) ?? 0
  },
}

/** In full, 20 times each; in the small form each failpoint once, on a side that chance decides. */
function wantedOf({ small, random }: Scene): Map<Target, number> {
  if (!small) return new Map(ALL_TARGETS.map((target) => [target, 20]))
  return new Map(FAILPOINTS.map((name) => [`${name}:${random.one(['before', 'after'] as const)}`, 1]))
}

function targetsOf(targets: Iterable<Target>, names: readonly Failpoint[]): Target[] {
  return [...targets].filter((target) => names.some((name) => target.startsWith(`${name}:`)))
}

/** Kills at all that everyday work passes, several processes at once, while pages come in again and again. */
async function everydayKills(scene: Scene, wanted: Map<Target, number>, note: (target: Target) => void): Promise<Set<number>> {
  const { rig } = scene
  const special = prepare(scene)
  const dismissed = new Set<number>()
  const reaper = createReaper(rig, scene.random, wanted, (name, target) => {
    scene.fault(`${name} killed at ${target}`, { by: /^supervision$/, says: new RegExp(`^${name} ended`) })
    if (name.startsWith('fetch')) scene.repeats += FETCHES
    note(target)
  })
  const began = Date.now()
  const deadline = began + (scene.small ? 150_000 : 3_600_000)
  const feeding = feed(scene, reaper, special, () => reaper.left().length === 0 || Date.now() > deadline)
  while (reaper.left().length > 0 && Date.now() < deadline) {
    await sleep(250)
    reaper.tick()
    await operate(scene, reaper, dismissed).catch(() => undefined)
  }
  scene.extra['seconds of kills'] = Math.round((Date.now() - began) / 1000)
  reaper.stop()
  await feeding
  rig.proxies.search.set(null)
  await settleLetters(scene, dismissed)
  return dismissed
}

/** Pages that are put back, pages that end their parser, and pages that Elasticsearch refuses as long as the kills go on. */
function prepare(scene: Scene): Special {
  const { rig, site, random, dead, small } = scene
  const pages = random.shuffled(Array.from({ length: site.n }, (_, page) => page))
  const share = small ? 2 : 30
  const putBack = pages.slice(0, share)
  for (const page of putBack)
    site.special.set(page, (response, times) => {
      if (times % 2 === 0) return false
      // Who is told to come again comes again.
      scene.repeats += 1
      return Boolean(response.writeHead(503, { 'retry-after': '1' }).end())
    })
  const hanging = BAD_PAGES[2]!()
  for (const page of pages.slice(share, share * 2)) {
    site.special.set(page, (response) => Boolean(response.writeHead(200, { 'content-type': 'text/html' }).end(hanging)))
    dead.set(page, ['parser-died', 'parser-timeout'])
  }
  const refused = pages.slice(share * 2, share * 4)
  const bad = new Set(refused)
  rig.proxies.search.set({ kind: 'reject', isBad: ({ url }) => bad.has(site.pageOf(String(url)) ?? -1) })
  return { putBack, refused }
}

/** Pages by what becomes of them. */
interface Special {
  putBack: number[]
  refused: number[]
}

/** Hands in every page, and goes on with changed ones for as long as kills are wanted. */
async function feed(scene: Scene, reaper: Reaper, special: Special, enough: () => boolean): Promise<void> {
  const { rig, site, random } = scene
  // Enough for every worker to have something in hand as it is killed, and not so much that requests become rare.
  const most = 200
  const pace = async (): Promise<void> => {
    while (!enough() && ((await rig.status().catch(() => null))?.inFlight ?? most) >= most) await sleep(200)
  }
  const all = Array.from({ length: site.n }, (_, page) => page)
  // Small requests: the API passes its failpoints more often.
  const how = { items: 5, again: false, pace, giveUpMs: 3_600_000 }
  await scene.load(how).done
  while (!enough()) {
    const lacks = (...names: Failpoint[]): boolean => names.some((name) => targetsOf(reaper.left(), [name]).length > 0)
    const hanging = lacks('death') ? [...scene.dead.keys()].slice(0, 2) : []
    const letters = lacks('retry', 'dismiss') ? random.shuffled(special.refused).slice(0, 4) : []
    const putBack = lacks('put-back') ? random.shuffled(special.putBack).slice(0, 4) : []
    const pages = [...new Set([...random.shuffled(all).slice(0, 20), ...hanging, ...letters, ...putBack])]
    await scene.load({ ...how, pages, changed: true }).done
  }
}

/** What an operator does meanwhile, while the API waits to be killed at it: retries a dead letter, or lays one aside. */
async function operate(scene: Scene, reaper: Reaper, dismissed: Set<number>): Promise<void> {
  const what = (['retry', 'dismiss'] as const).find((each) => reaper.waitsFor('api')?.startsWith(`${each}:`))
  if (what === undefined) return
  const [letter] = await rejected(scene)
  if (!letter) return
  // Noted first: a kill may come between the move and the answer.
  if (what === 'dismiss') dismissed.add(scene.site.pageOf(letter.url!)!)
  await ask(scene.rig, 'POST', `/failures/${letter.captureId}/${what}`)
}

/** The cause is mended: what was refused comes in by a retry, what was laid aside is handed in again. */
async function settleLetters(scene: Scene, dismissed: Set<number>): Promise<void> {
  await idle(scene)
  for (const captureId of await refused(scene)) await ask(scene.rig, 'POST', `/failures/${captureId}/retry`)
  scene.extra['dismissed, handed in again'] = dismissed.size
  if (dismissed.size > 0) await scene.load({ pages: [...dismissed], again: false, changed: true }).done
  await idle(scene)
}

/** A dismissal whose record a kill took away is forgotten with Redis: then it is a dead letter again, and the operator decides again. */
async function dismissAgain(scene: Scene, dismissed: Set<number>): Promise<void> {
  const ids = await refused(scene, dismissed)
  for (const captureId of ids) await ask(scene.rig, 'POST', `/failures/${captureId}/dismiss`)
  scene.extra['dismissed again'] = ids.length
}

async function refused(scene: Scene, pages?: Set<number>): Promise<CaptureId[]> {
  const letters = await rejected(scene)
  return letters.filter(({ url }) => pages?.has(scene.site.pageOf(url!)!) ?? true).map(({ captureId }) => captureId)
}

/** Every dead letter that Elasticsearch refused. */
async function rejected({ rig }: Scene): Promise<Failure[]> {
  const found: Failure[] = []
  for (let after: CaptureId | null | undefined; after !== null;) {
    const page = FailuresView.parse(await ask(rig, 'GET', `/failures?size=1000${after ? `&after=${after}` : ''}`))
    found.push(...page.failures.filter(({ code }) => code === 'search-rejected'))
    after = page.after
  }
  return found
}

async function idle({ rig }: Scene): Promise<void> {
  const deadline = Date.now() + 180_000
  while ((await rig.status())?.inFlight !== 0) {
    if (Date.now() > deadline) throw new Error('the work does not end')
    await sleep(200)
  }
}
