import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSystem, type System } from '@copydesk/cli'
import { IngestResponse, type StageName, STAGES, StatusView } from '@copydesk/contracts'
import { createSearchClient } from '@copydesk/search'
import { expect, inject, onTestFinished, test } from 'vitest'
import { dropArticles } from '../support/search.ts'

const ARTICLES = 300
const KILLS_EACH = 2
/** After the last fault, in milliseconds: nothing may be under way any more. */
const STUCK_AFTER_MS = 120_000

/** Faults come faster when locks and checks are short; in production they are 30 s each. */
const QUICK = {
  LOCK_MS: '2000',
  STALLED_CHECK_MS: '1000',
  KEEPER_MS: '2000',
  RECONCILE_UNTOUCHED_MS: '5000',
  FETCH_CONCURRENCY: '8',
  RETRY_BASE_MS: '500',
}

/** An origin whose every page is an article of its own, a little slow, so that work is under way when a kill comes. */
async function origin() {
  const server = createServer((request, response) => {
    const number = request.url?.slice(1) ?? ''
    setTimeout(() => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pageOf(number)), 250)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void (server.closeAllConnections(), server.close()))
  return (server.address() as AddressInfo).port
}

function pageOf(number: string): string {
  const paragraphs = Array.from(
    { length: 8 },
    (_, at) =>
      `<p>Paragraph ${at} of report ${number}: the harbour board of the town met again, heard ${number} witnesses, and put the vote on the new quay off until the spring.</p>`,
  )
  return `<!doctype html><html lang="en"><head><title>Report ${number}</title></head><body><article><h1>Report ${number} from the harbour</h1>${paragraphs.join('')}</article></body></html>`
}

async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'copydesk-fault-'))
  const port = await origin()
  const alias = `fault-${randomUUID().slice(0, 8)}`
  const notices: string[] = []
  const env = {
    ...process.env,
    ...QUICK,
    ELASTICSEARCH_URL: inject('elasticsearchUrl'),
    REDIS_URL: '',
    ARTICLES_ALIAS: alias,
    FETCH_ALLOW_CIDRS: `127.0.0.1/32:${port}`,
  }
  const system = await startSystem({ folder, port: 0, env, notice: (line) => void notices.push(line) })
  const client = createSearchClient({ url: inject('elasticsearchUrl') })
  onTestFinished(async () => {
    await system.stop({ force: true })
    await dropArticles(client, alias)
    await client.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { system, port, alias, client, notices }
}

async function statusOf(system: System): Promise<StatusView | null> {
  const response = await fetch(`${system.api}/api/v1/status`, { signal: AbortSignal.timeout(5000) }).catch(() => null)
  return response?.ok ? StatusView.parse(await response.json()) : null
}

/** Waits until a stage has jobs in hand, so that the kill meets work. */
async function busy(system: System, stage: StageName): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const status = await statusOf(system)
    if (status && status.stages[stage].active > 0) return true
    await sleep(10)
  }
  return false
}

test(
  `of ${ARTICLES} articles none is lost, doubled or stuck while every worker is killed ${KILLS_EACH} times and Redis once`,
  { timeout: 300_000 },
  async () => {
    const { system, port, alias, client } = await start()
    const urls = Array.from({ length: ARTICLES }, (_, at) => `http://127.0.0.1:${port}/${at}`)
    const body = JSON.stringify({ items: urls.map((url) => ({ url })) })
    const answer = await fetch(`${system.api}/api/v1/ingest`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const { results } = IngestResponse.parse(await answer.json())
    expect(results.filter((result) => 'captureId' in result)).toHaveLength(ARTICLES)

    let met = 0
    for (let round = 0; round < KILLS_EACH; round += 1) {
      for (const { name } of STAGES) {
        if (await busy(system, name)) met += 1
        system.kill(name, 'SIGKILL')
        await system.ready(name)
      }
      if (round === 0) {
        system.kill('redis', 'SIGKILL')
        await system.ready('redis')
      }
    }

    const since = Date.now()
    let status = await statusOf(system)
    while ((status === null || status.inFlight > 0) && Date.now() - since < STUCK_AFTER_MS) {
      await sleep(250)
      status = await statusOf(system)
    }
    await client.indices.refresh({ index: `${alias}-all` })
    const found = await client.search<{ url: string }>({ index: `${alias}-all`, size: 1000, _source: ['url'] })
    const documents = found.hits.hits.map((hit) => hit._source?.url ?? '')
    const numbers = {
      accepted: status?.accepted ?? 0,
      kills: KILLS_EACH * STAGES.length + 1,
      'kills that met work': met,
      lost: urls.filter((url) => !documents.includes(url)).length,
      doubled: documents.length - new Set(documents).size,
      stuck: status?.inFlight ?? ARTICLES,
      'repeats made harmless': status?.late ?? 0,
      'seconds after the last kill': Math.round((Date.now() - since) / 1000),
    }
    console.table({ ...numbers, ...status?.outcomes })
    expect(numbers).toMatchObject({ accepted: ARTICLES, lost: 0, doubled: 0, stuck: 0 })
    expect(status).toMatchObject({ balanced: true, outcomes: { indexed: ARTICLES, failed: 0 } })
    expect(met).toBeGreaterThanOrEqual(KILLS_EACH * STAGES.length - 2)
  },
)
