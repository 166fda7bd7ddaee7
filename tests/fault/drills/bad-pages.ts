import { FailureView } from '@copydesk/contracts'
import { ask } from '../rig/api.ts'
import { BAD_PAGES } from '../rig/bad-html.ts'
import type { Drill } from '../rig/drill.ts'
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
    scene.fault('pages that end their parser', { by: /^clean/, says: /parser-died|parser-timeout/ })
    const load = scene.load({ overMs: scene.small ? 4000 : 60_000, again: !scene.small })
    await load.done
    const deadline = Date.now() + 300_000
    while ((await scene.rig.status())?.inFlight !== 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200))
    const ids = [...load.answered].filter(([, page]) => scene.dead.has(page)).map(([id]) => id)
    await checkDeaths(scene, ids)
  },
}

async function checkDeaths(scene: Scene, ids: string[]): Promise<void> {
  let deaths = 0
  for (const id of ids) {
    const view = FailureView.safeParse(await ask(scene.rig, 'GET', `/failures/${id}`).catch(() => null)).data
    const died = view?.capture.events.filter(({ event }) => event === 'died').length ?? 0
    scene.check(died === 2, `capture ${id} of a bad page has ${died} deaths in its trail`)
    deaths += died
  }
  scene.met = deaths > 0 ? 1 : 0
  scene.extra['deaths'] = deaths
}
