import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSystem, type System } from '@copydesk/cli'
import { CaptureView, type IngestResult, IngestResponse, Problem, SearchResponse, StatusView } from '@copydesk/contracts'
import { connectRedis } from '@copydesk/queue'
import { createSearchClient } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'
import { inject } from 'vitest'
import { cliFor, type Cli } from './cli.ts'
import { dropArticles } from './search.ts'

/** A whole system of one test file, and the ways in and out of it. */
export interface TestSystem extends System {
  /** What stands before its keys in Redis. */
  prefix: string
  /** The read alias. */
  alias: string
  /** The one Elasticsearch, asked directly. */
  client: Client
  notices: string[]
  /** Runs the command line as a process of its own, as a client of this system. */
  cli: Cli
  /** Asks the API, whatever it answers. */
  ask(path: string, init?: RequestInit): Promise<Answer>
  /** Takes items in. Throws where the API doesn't accept the request. */
  ingest(items: object[]): Promise<IngestResult[]>
  /** Takes addresses in, all of which must be accepted, and waits for the outcome of each. */
  run(...urls: string[]): Promise<CaptureView[]>
  /** Waits for a capture's outcome. */
  outcome(captureId: string, withinMs?: number): Promise<CaptureView>
  status(): Promise<StatusView>
  /** Searches after a refresh, so that all that was written is found. */
  search(q: string): Promise<SearchResponse>
  /** Ends it and takes away all that it kept. */
  end(): Promise<void>
}

export interface Answer {
  status: number
  headers: Headers
  body: unknown
  /** The body as the problem that it must be. */
  problem(): Problem
}

export interface TestSystemOptions {
  /** Ports on 127.0.0.1 that may be fetched from. */
  sites?: number[]
  env?: NodeJS.ProcessEnv
  /** With Redis and Elasticsearch of its own, which can be stopped. */
  ownStores?: boolean
}

/** Starts every service as a process, on the tests' Redis and Elasticsearch, under names that no other test has. */
export async function startTestSystem({ sites = [], env = {}, ownStores = false }: TestSystemOptions = {}): Promise<TestSystem> {
  const id = `e2e-${randomUUID().slice(0, 8)}`
  const folder = await mkdtemp(join(tmpdir(), 'copydesk-e2e-'))
  const notices: string[] = []
  const system = await startSystem({
    folder,
    port: 0,
    notice: (line) => void notices.push(line),
    env: {
      ...process.env,
      REDIS_URL: ownStores ? '' : inject('redisUrl'),
      ELASTICSEARCH_URL: ownStores ? '' : inject('elasticsearchUrl'),
      REDIS_PREFIX: `{${id}}`,
      ARTICLES_ALIAS: id,
      FETCH_ALLOW_CIDRS: sites.map((port) => `127.0.0.1/32:${port}`).join(','),
      RETRY_BASE_MS: '200',
      ...env,
    },
  })
  const client = createSearchClient({ url: system.elasticsearch })
  return {
    ...system,
    ...talkTo(system, client, id),
    prefix: `{${id}}`,
    alias: id,
    client,
    notices,
    cli: cliFor(system.api),
    async end() {
      await system.stop()
      // Stores of its own are gone with their folder.
      if (!ownStores) await Promise.all([dropKeys(system.redis, id), dropArticles(client, id)])
      await client.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function talkTo(
  system: System,
  client: Client,
  alias: string,
): Pick<TestSystem, 'ask' | 'ingest' | 'run' | 'outcome' | 'status' | 'search'> {
  const ask: TestSystem['ask'] = async (path, init = {}) => {
    const response = await fetch(`${system.api}${path}`, { signal: AbortSignal.timeout(15_000), ...init })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const body: unknown = isJson ? JSON.parse(text) : text
    return {
      status: response.status,
      headers: response.headers,
      body,
      problem: () => {
        if (response.headers.get('content-type')?.startsWith('application/problem+json') !== true)
          throw new Error(`${path} answered ${response.status} with no problem but ${text.slice(0, 500)}`)
        return Problem.parse(body)
      },
    }
  }

  async function ingest(items: object[]): Promise<IngestResult[]> {
    const answer = await ask('/api/v1/ingest', json({ items }))
    if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    return IngestResponse.parse(answer.body).results
  }

  async function outcome(captureId: string, withinMs = 45_000): Promise<CaptureView> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const view = CaptureView.parse((await ask(`/api/v1/captures/${captureId}`)).body)
      if (view.outcome !== undefined) return view
      if (Date.now() > deadline) throw new Error(`no outcome after ${withinMs} ms: ${JSON.stringify(view)}`)
      await sleep(50)
    }
  }

  return {
    ask,
    ingest,
    outcome,
    async run(...urls) {
      const results = await ingest(urls.map((url) => ({ url })))
      return await Promise.all(results.map(async (result) => await outcome(accepted(result))))
    },
    status: async () => StatusView.parse((await ask('/api/v1/status')).body),
    async search(q) {
      await client.indices.refresh({ index: alias })
      return SearchResponse.parse((await ask(`/api/v1/search?${new URLSearchParams({ q }).toString()}`)).body)
    },
  }
}

/** A request with a JSON body. */
export function json(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** The capture of a result. Throws where it was not accepted. */
export function accepted(result: IngestResult | undefined): string {
  if (result === undefined || 'problem' in result) throw new Error(`not accepted: ${JSON.stringify(result)}`)
  return result.captureId
}

async function dropKeys(redisUrl: string, id: string): Promise<void> {
  const redis = connectRedis(redisUrl, 'worker', () => undefined)
  const keys = await redis.keys(`{${id}}:*`)
  if (keys.length > 0) await redis.del(keys)
  redis.disconnect()
}
