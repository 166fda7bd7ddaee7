import { FailureView } from '@copydesk/contracts'
import { ask } from '../rig/api.ts'
import { BAD_PAGES } from '../rig/bad-html.ts'
import type { Drill } from '../rig/drill.ts'
import { linesSince } from '../rig/said.ts'
import type { Scene } from '../rig/scene.ts'

/** Pages that end their parser, among many that don't. */
export const badPages: Drill = {
  name: 'bad-pages',
  title: '15 pages that kill, exhaust or hang their parser',
  times: "each a dead letter after its parser's second death, neighbours untouched",
  async run(scene) {
    const { site, random } = scene
    const pages = random.shuffled(Array.from({ length: site.n }, (_, page) => page)).slice(0, scene.small ? 3 : 15)
    for (const [at, page] of pages.entries()) {
      const html = BAD_PAGES[at % BAD_PAGES.length]!()
      site.special.set(page, (response) => Boolean(response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)))
      scene.dead.set(page, ['parser-died', 'parser-timeout'])
    }
    scene.fault('pages that end their parser')
    const load = scene.load({ overMs: scene.small ? 4000 : 60_000, again: !scene.small })
    await load.done
    const deadline = Date.now() + 300_000
    while ((await scene.rig.status())?.inFlight !== 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200))
    const ids = [...load.answered].filter(([, page]) => scene.dead.has(page)).map(([id]) => id)
    await checkDeaths(scene, ids)
  },
}

/** Two deaths of each, each named in the log of clean as it came to pass: a parser that hangs is ended only at its deadline. */
async function checkDeaths(scene: Scene, ids: string[]): Promise<void> {
  const lines = linesSince(scene.rig.folder, scene.marks).filter(
    ({ by, text }) => by.startsWith('clean') && /parser-(?:died|timeout)/.test(text),
  )
  let deaths = 0
  for (const id of ids) {
    const view = FailureView.safeParse(await ask(scene.rig, 'GET', `/failures/${id}`).catch(() => null)).data
    const died = view?.capture.events.filter(({ event }) => event === 'died') ?? []
    scene.check(died.length === 2, `capture ${id} of a bad page has ${died.length} deaths in its trail`)
    const own = lines.filter(({ text }) => text.includes(id))
    const named = died.every((death) => own.some(({ at }) => Math.abs(at - Date.parse(death.at)) < 10_000))
    scene.check(named, `a parser's death of capture ${id} is not named in a log within 10 s`)
    deaths += died.length
  }
  scene.met = deaths > 0 ? 1 : 0
  scene.extra['deaths'] = deaths
}
