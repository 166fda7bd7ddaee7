import { setTimeout as sleep } from 'node:timers/promises'
import { type CaptureId, CaptureView, type Failure, FailuresView, OUTCOMES, type Outcome, type StatusView } from '@copydesk/contracts'
import { ask } from './api.ts'
import { type Line, linesSince } from './said.ts'
import { type Scene, statusWithin } from './scene.ts'
import { readDocuments, type StoredDocument } from './documents.ts'

/** After the last fault, in milliseconds: nothing may be under way any more. */
const STUCK_AFTER_MS = 120_000
/** So soon a fault must be named. */
const NAMED_MS = 10_000

/** What a drill came to. `failures` is empty where all held. */
export interface Verdict {
  lost: number
  doubled: number
  stuck: number
  /** Documents that don't say what their page says now. */
  wrong: number
  accepted: number
  outcomes: Partial<Record<Outcome, number>>
  undecided: number
  cut: number
  faults: number
  met: number
  late: number
  originRequests: number
  allowedRequests: number
  failures: string[]
}

/** Waits until nothing is under way, then checks everything. */
export async function judge(scene: Scene): Promise<Verdict> {
  const loads = await Promise.allSettled(scene.loads.map(async ({ done }) => await done))
  for (const load of loads) if (load.status === 'rejected') scene.broken.push(String(load.reason))
  const status = await settle(scene)
  const captures = await readCaptures(scene)
  const [documents, letters] = [await readDocuments(scene), await readDeadLetters(scene)]
  const [lost, doubled, wrong] = [findLost(scene, captures, documents), findDoubled(documents), findWrong(scene, documents)]
  const outcomes = delta(scene.baseline, status)
  const fetched = [...captures.values()].filter((view) => view !== null && view.outcome !== 'duplicate-run').length
  const numbers = {
    ...{ lost: lost.length, doubled: doubled.length, stuck: status.inFlight, wrong: wrong.length },
    ...{ accepted: status.accepted - scene.baseline.accepted, outcomes },
    undecided: scene.loads.reduce((sum, { undecided }) => sum + undecided.size, 0),
    cut: scene.loads.reduce((sum, { cut }) => sum + cut, 0),
    ...{ faults: scene.faults.length, met: scene.met, late: status.late - scene.baseline.late },
    originRequests: scene.site.requests(),
    allowedRequests: scene.strict ? fetched : Math.floor(1.2 * fetched) + scene.repeats,
  }
  const failures = [
    ...scene.broken,
    ...lost.slice(0, 5).map((what) => `lost: ${what}`),
    ...doubled.slice(0, 5).map((url) => `doubled: ${url}`),
    ...wrong.slice(0, 5).map((what) => `not as its page is: ${what}`),
    ...sums(scene, status, numbers, letters),
    ...wrongDeadLetters(scene, letters),
    ...metEnough(scene),
    ...said(scene),
  ]
  return { ...numbers, failures }
}

/** Waits until nothing is in flight and the tail check has passed what was not answered. */
async function settle(scene: Scene): Promise<StatusView> {
  const { rig } = scene
  const lastFault = Math.max(Date.now(), ...scene.faults.map(({ at }) => at))
  const unsure = scene.loads.some(({ cut, undecided }) => cut > 0 || undecided.size > 0)
  const mark = unsure ? lastFault : scene.settleMark
  const deadline = lastFault + STUCK_AFTER_MS
  for (;;) {
    const status = await statusWithin(rig, Math.max(1000, deadline - Date.now()))
    const passed = mark === 0 || Number((await rig.redis.direct.get(`${rig.prefix}:mark`)) ?? 0) > mark
    if ((status.inFlight === 0 && passed) || Date.now() > deadline) return status
    await sleep(200)
  }
}

/** Every capture that was answered, or may have been accepted, as the API tells of it; null where it knows none. */
async function readCaptures(scene: Scene): Promise<Map<CaptureId, CaptureView | null>> {
  const ids = scene.loads.flatMap(({ answered, undecided }) => [...answered.keys(), ...undecided.keys()])
  const views = new Map<CaptureId, CaptureView | null>()
  const next = ids.values()
  const reader = async (): Promise<void> => {
    for (const id of next) {
      const response = await fetch(`${scene.rig.system.api}/api/v1/captures/${id}`)
      views.set(id, response.ok ? CaptureView.parse(await response.json()) : (await response.text(), null))
    }
  }
  await Promise.all(Array.from({ length: 16 }, reader))
  return views
}

function findLost(scene: Scene, captures: Map<CaptureId, CaptureView | null>, documents: Map<number, StoredDocument[]>): string[] {
  const answered = scene.loads.flatMap((load) => [...load.answered])
  // A Redis that was wiped has no trails; then the sums and the documents say it all.
  const forgotten = scene.forgets ? [] : answered.filter(([id]) => captures.get(id)?.outcome === undefined)
  const missing = Array.from({ length: scene.site.n }, (_, page) => page).filter((page) => !documents.has(page) && !scene.dead.has(page))
  return [
    ...forgotten.map(([id, page]) => `capture ${id} of page ${page} has no outcome`),
    ...missing.map((page) => `page ${page} has no document (${outcomesOf(page, answered, captures)})`),
  ]
}

function outcomesOf(page: number, answered: [CaptureId, number][], captures: Map<CaptureId, CaptureView | null>): string {
  const views = answered.filter(([, of]) => of === page).map(([id]) => captures.get(id))
  return views.map((view) => [view?.outcome ?? 'unknown', view?.code, view?.reason].filter(Boolean).join(' ')).join('; ')
}

function findDoubled(documents: Map<number, StoredDocument[]>): string[] {
  return [...documents.values()].flatMap((list) => list.slice(1).map(({ url }) => url))
}

function findWrong({ site, dead }: Scene, documents: Map<number, StoredDocument[]>): string[] {
  return [...documents].flatMap(([page, [document]]) => {
    const expected = site.paragraphs(page).join('\n\n')
    if (dead.has(page) || document?.text === expected) return []
    return [`${document?.url}: ${document?.text.slice(0, 120)}… where ${expected.slice(0, 120)}… was expected`]
  })
}

function sums(scene: Scene, status: StatusView, numbers: Omit<Verdict, 'failures'>, letters: Failure[]): string[] {
  const answered = new Set(scene.loads.flatMap((load) => [...load.answered.keys()]))
  const failed = numbers.outcomes.failed ?? 0
  const ended = Object.values(numbers.outcomes).reduce((sum, count) => sum + count, 0)
  const unsure = numbers.undecided > 0 || numbers.cut > 0
  const problems = [
    [status.inFlight > 0, `${status.inFlight} captures are in flight ${STUCK_AFTER_MS / 1000} s after the last fault`],
    [!status.balanced, 'the sums do not add up'],
    [numbers.accepted !== ended + status.inFlight, `accepted ${numbers.accepted}, ended ${ended}`],
    [!unsure && numbers.accepted !== answered.size, `${answered.size} captures were answered, ${numbers.accepted} accepted`],
    [numbers.accepted < answered.size, `${answered.size} captures were answered, only ${numbers.accepted} accepted`],
    [failed !== letters.length, `${failed} are counted as failed where there are ${letters.length} dead letters`],
    [numbers.originRequests > numbers.allowedRequests, `${numbers.originRequests} requests to the origin, over ${numbers.allowedRequests}`],
  ] as const
  return problems.filter(([is]) => is).map(([, sentence]) => sentence)
}

/** The dead letters of this drill's pages. */
async function readDeadLetters({ rig, site }: Scene): Promise<Failure[]> {
  const letters: Failure[] = []
  for (let after: string | null = ''; after !== null;) {
    const page = FailuresView.parse(await ask(rig, 'GET', `/failures?size=1000${after === '' ? '' : `&after=${after}`}`))
    letters.push(...page.failures)
    after = page.after
  }
  return letters.filter(({ url }) => url !== null && site.pageOf(url) !== null)
}

/** Dead letters that should be none, and pages that should be one. */
function wrongDeadLetters({ dead, site }: Scene, letters: Failure[]): string[] {
  const unexpected = letters.filter(({ url, code }) => !isOf(dead.get(site.pageOf(url!)!), code))
  const pages = new Set(letters.map(({ url }) => site.pageOf(url!)))
  return [
    ...unexpected.slice(0, 3).map(({ url, stage, code, cause }) => `a dead letter: ${url} at ${stage}, ${code}: ${cause.slice(0, 200)}`),
    ...[...dead.keys()].filter((page) => !pages.has(page)).map((page) => `page ${page} is no dead letter`),
  ]
}

function isOf(expected: readonly string[] | undefined, code: string | undefined): boolean {
  return code !== undefined && (expected?.includes(code) ?? false)
}

function metEnough({ met, faults, mustMeet }: Scene): string[] {
  const least = Math.max(1, Math.ceil(faults.length * mustMeet))
  return met >= least ? [] : [`only ${met} of ${faults.length} faults met work: the drill has proven nothing`]
}

/** Faults that nobody named, secrets and unhandled rejections. */
function said(scene: Scene): string[] {
  const lines = [...linesSince(scene.rig.folder, scene.marks), ...scene.rig.said.filter(({ at }) => at >= scene.since)]
  const unnamed = scene.faults.filter(({ at, named }) => named && !lines.some((line) => isNamed(line, at, named)))
  const withSecret = lines.find(({ text }) => scene.rig.secrets.some((secret) => text.includes(secret)))
  const unhandled = lines.filter(({ text }) => /unhandled rejection|UnhandledPromiseRejection|uncaught/i.test(text))
  const own = lines.filter(({ by, text }) => by === 'api' && text.includes('"request failed"'))
  return [
    ...unnamed.slice(0, 3).map(({ what, named }) => `not named within 10 s by ${named?.by}: ${what}`),
    ...(withSecret ? [`a secret stands in the log of ${withSecret.by}`] : []),
    ...own.slice(0, 2).map(({ text }) => `the API answered 500: ${text.slice(0, 500)}`),
    ...unhandled.slice(0, 3).map(({ by, text }) => `unhandled in ${by}: ${text.slice(0, 300)}`),
  ]
}

function isNamed(line: Line, at: number, { by, says }: { by: RegExp; says: RegExp }): boolean {
  return line.at >= at - 5 && line.at <= at + NAMED_MS && by.test(line.by) && says.test(line.text)
}

function delta(before: StatusView, after: StatusView): Partial<Record<Outcome, number>> {
  const counts = OUTCOMES.map((outcome) => [outcome, after.outcomes[outcome] - before.outcomes[outcome]] as const)
  return Object.fromEntries(counts.filter(([, count]) => count !== 0))
}
