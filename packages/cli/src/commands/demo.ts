import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureId, type CaptureView, Hints, SearchResponse } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { serveSite } from '../demo/serve-site.ts'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { expandInputs } from '../ingest/expand-inputs.ts'
import { type Sent, sendInputs } from '../ingest/send.ts'
import { waitForOutcomes, waitUntilSearchable } from '../ingest/wait.ts'
import { freePort, isFree } from '../local/free-port.ts'
import { LOCAL, ROOT } from '../local/repository.ts'
import { createProgressLine } from '../progress-line.ts'
import { startSystem, type System } from '../system/start-system.ts'
import { printArticles } from './search.ts'

const FOLDER = join(LOCAL, 'demo')
const FILES = join(ROOT, 'infra/demo')
/** A word that the text and the pages share. */
const QUERY = 'harbour'

/** From a bare checkout to a working system with data in it. With `exit` it ends when the search is printed. Resolves to the exit code. */
export async function demo(options: { exit?: boolean; json?: boolean }): Promise<number> {
  const say = (line: string): void => console.error(`copydesk: ${line}`)
  const site = await serveSite(join(FILES, 'site'), await sitePort())
  say(`a small news site is at ${site.origin}`)
  const interrupted = new AbortController()
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (interrupted.abort(new Error('interrupted')), resolve()))
  })
  say('starting Redis, Elasticsearch and the services')
  const env = { ...process.env, FETCH_ALLOW_CIDRS: `127.0.0.1/32:${new URL(site.origin).port}` }
  const system = await startSystem({ folder: FOLDER, port: 0, env, notice: say, signal: interrupted.signal })
  try {
    const { views, refused } = await ingestDemo(system, [...site.pages, join(FILES, 'text.txt')])
    const api = createApiClient(system.api)
    const found = await api.get(SearchResponse, '/search', { q: QUERY, size: 20 })
    if (options.json)
      console.log(
        JSON.stringify({
          api: system.api,
          query: QUERY,
          outcomes: views.map(({ url, outcome, code }) => ({ url, outcome, code })),
          ...found,
        }),
      )
    else report(system, views, found)
    if (options.exit) return refused === 0 && found.total > 0 ? DONE : SOME_FAILED
    say(`it goes on until Ctrl-C; in another terminal: COPYDESK_URL=${system.api} ./copydesk search ${QUERY}`)
    await Promise.race([asked, system.failed])
    return DONE
  } finally {
    await system.stop()
    await site.close()
  }
}

/** The site keeps its port from one demo to the next: its addresses are its articles' identity. */
async function sitePort(): Promise<number> {
  const file = join(FOLDER, 'site-port')
  try {
    const last = Number(readFileSync(file, 'utf8'))
    if (await isFree(last)) return last
  } catch {
    // The first demo.
  }
  const port = await freePort()
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(file, String(port))
  return port
}

async function ingestDemo(system: System, names: string[]): Promise<{ views: CaptureView[]; refused: number }> {
  const api = createApiClient(system.api)
  const line = createProgressLine()
  const sent: Sent[] = []
  const { inputs } = await expandInputs(names)
  await sendInputs(api, inputs, { hints: Hints.parse({}) }, (each) => sent.push(each))
  const ids = sent.flatMap((each) => ('captureId' in each ? [CaptureId.parse(each.captureId)] : []))
  const views = await waitForOutcomes(api, ids, ({ done, of }) => line.show(`${done} of ${of} done`))
  await waitUntilSearchable(api, views.values())
  line.clear()
  return { views: [...views.values()], refused: sent.length - ids.length }
}

function report(system: System, views: CaptureView[], found: SearchResponse): void {
  for (const [outcome, each] of Map.groupBy(views, (view) => `${view.outcome}${view.code ? ` (${view.code})` : ''}`))
    console.log(`${each.length} ${outcome}`)
  console.log(`\nsearch: ${QUERY}`)
  printArticles(found)
  console.log(`\nAPI            ${system.api}/api/v1/search?q=${QUERY}\nElasticsearch  ${system.elasticsearch}/articles/_search?q=${QUERY}`)
}
