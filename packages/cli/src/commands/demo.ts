import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureId, type CaptureView, Hints, SearchResponse } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { type DemoSite, serveSite } from '../demo/serve-site.ts'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { expandInputs } from '../ingest/expand-inputs.ts'
import { type Sent, sendInputs } from '../ingest/send.ts'
import { waitForOutcomes, waitUntilSearchable } from '../ingest/wait.ts'
import { CannotRun } from '../local/cannot-run.ts'
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
export async function demo(options: DemoOptions): Promise<number> {
  const say = (line: string): void => console.error(`copydesk: ${line}`)
  const site = await serveSite(join(FILES, 'site'), await sitePort())
  let system: System | undefined
  try {
    say(`a small news site is at ${site.origin}`)
    const interrupted = new AbortController()
    const asked = new Promise<number>((resolve) => {
      const end = () => {
        interrupted.abort(new CannotRun('interrupted before everything was ready'))
        resolve(DONE)
      }
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
    })
    say('starting Redis, Elasticsearch and the services')
    const env = { ...process.env, FETCH_ALLOW_CIDRS: `127.0.0.1/32:${new URL(site.origin).port}` }
    system = await startSystem({ folder: FOLDER, port: 0, env, notice: say, signal: interrupted.signal })
    const shown = show(system, site, options, say)
    const failed = system.failed.then((error) => {
      throw error
    })
    return await Promise.race([shown, asked, failed])
  } finally {
    await system?.stop()
    await site.close()
  }
}

interface DemoOptions {
  exit?: boolean
  json?: boolean
}

/** Ingests the site and the text, and prints a search. Never resolves where the demo goes on. */
async function show(system: System, site: DemoSite, options: DemoOptions, say: (line: string) => void): Promise<number> {
  const { views, refused } = await ingestDemo(system, [...site.pages, join(FILES, 'text.txt')])
  const found = await createApiClient(system.api).get(SearchResponse, '/search', { q: QUERY, size: 20 })
  const outcomes = views.map(({ url, outcome, code }) => ({ url, outcome, code }))
  if (options.json) console.log(JSON.stringify({ api: system.api, query: QUERY, outcomes, ...found }))
  else report(views, found)
  if (options.exit) return refused === 0 && found.total > 0 ? DONE : SOME_FAILED
  say(`API            ${system.api}/api/v1/search?q=${QUERY}`)
  say(`Elasticsearch  ${system.elasticsearch}/articles/_search?q=${QUERY}`)
  say(`it goes on until Ctrl-C; in another terminal: COPYDESK_URL=${system.api} ./copydesk search ${QUERY}`)
  return await new Promise(() => undefined)
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

function report(views: CaptureView[], found: SearchResponse): void {
  for (const [outcome, each] of Map.groupBy(views, (view) => `${view.outcome}${view.code ? ` (${view.code})` : ''}`))
    console.log(`${each.length} ${outcome}`)
  console.log(`\nsearch: ${QUERY}`)
  printArticles(found)
}
