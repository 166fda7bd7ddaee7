import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureElasticsearch, ensureRedis, type LocalService, stopLocal } from '@copydesk/cli'
import { CaptureView } from '@copydesk/contracts'
import { connectRedis } from '@copydesk/queue'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { newsArticle, townOf } from '../support/news-articles.ts'
import { type NewsSite, serveNews } from '../support/news-site.ts'
import { accepted, json, startTestSystem, type TestSystem } from '../support/system.ts'

/** Redis and Elasticsearch that nobody starts again when they end: the tests say when. */
const stores = { redis: '', elasticsearch: '' }
let redis: LocalService
let elasticsearch: LocalService
let site: NewsSite
let system: TestSystem

const log = (): void => undefined
/** An answer that says that something is away must come in this time, in milliseconds. */
const AT_ONCE_MS = 3000
/** The API waits five seconds for an answer of Redis, then asks once more. */
const FROZEN_MS = 12_000

beforeAll(async () => {
  for (const name of ['redis', 'elasticsearch'] as const) stores[name] = await mkdtemp(join(tmpdir(), `copydesk-e2e-${name}-`))
  ;[redis, elasticsearch, site] = await Promise.all([
    ensureRedis({ folder: stores.redis, log }),
    ensureElasticsearch({ folder: stores.elasticsearch, log }),
    serveNews(),
  ])
  system = await startTestSystem({
    sites: [site.port],
    env: { REDIS_URL: redis.url, ELASTICSEARCH_URL: elasticsearch.url, LOCK_MS: '2000', STALLED_CHECK_MS: '1000', KEEPER_MS: '1000' },
  })
})
afterAll(async () => {
  await system?.end()
  await site?.close()
  for (const folder of Object.values(stores)) {
    await stopLocal(folder)
    await rm(folder, { recursive: true, force: true })
  }
})

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = sleep(ms).then(() => {
    throw new Error(`no answer within ${ms} ms`)
  })
  return await Promise.race([work, late])
}

const urls = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `${site.origin}/article/${from + at}`)

describe('while Elasticsearch is down', () => {
  const captures: string[] = []

  test('search says so at once, work is taken in all the same, and none of it fails', async () => {
    await system.run(`${site.origin}/article/100`)
    await stopLocal(stores.elasticsearch)

    const search = await within(AT_ONCE_MS, system.ask('/api/v1/search?q=harbour'))
    expect(search.problem()).toMatchObject({ status: 503, code: 'search-unavailable', detail: expect.stringContaining('Elasticsearch') })
    expect(search.headers.get('retry-after')).toMatch(/^\d+$/)
    const { code, stdout, stderr } = await system.cli(['search', 'harbour'])
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^copydesk: Elasticsearch .*\n$/) })

    const results = await within(AT_ONCE_MS, system.ingest(urls(101, 20).map((url) => ({ url }))))
    captures.push(...results.map(accepted))
    await vi.waitFor(
      async () => {
        const views = await Promise.all(captures.map(async (id) => CaptureView.parse((await system.ask(`/api/v1/captures/${id}`)).body)))
        expect(views.map(({ stage, outcome }) => [stage, outcome])).toEqual(views.map(() => ['index', undefined]))
        expect((await system.status()).waitingFor).toEqual([expect.stringMatching(/^Elasticsearch .*check that it runs/)])
      },
      { timeout: 30_000, interval: 250 },
    )
    expect(await system.status()).toMatchObject({ balanced: true, inFlight: 20, outcomes: { failed: 0, indexed: 1 } })
  })

  test('when it is back, all that waited is indexed, each once', async () => {
    await ensureElasticsearch({ folder: stores.elasticsearch, log, port: elasticsearch.port })
    const views = await Promise.all(captures.map(async (id) => await system.outcome(id, 60_000)))
    expect(views.map(({ outcome }) => outcome)).toEqual(views.map(() => 'indexed'))
    expect(await system.status()).toMatchObject({ balanced: true, inFlight: 0, outcomes: { failed: 0, indexed: 21 } })
    expect((await system.search(townOf(120))).articles.map(({ title }) => title)).toEqual([newsArticle(120).title])
    expect((await system.client.count({ index: system.alias })).count).toBe(21)
  })
})

describe('while Redis is down', () => {
  test('the API answers at once with what is wrong, and takes nothing in', async () => {
    // Answered over a second: all of them are under way when Redis goes.
    const before = await system.ingest(urls(201, 20).map((url) => ({ url: url.replace('/article/', '/slow/') })))
    await vi.waitFor(() => expect(site.requests('/slow/220')).toBe(1), { timeout: 5000, interval: 20 })
    await stopLocal(stores.redis)

    const id = accepted(before[0])
    const ways: [path: string, init: RequestInit][] = [
      ['/api/v1/ingest', json({ items: [{ url: `${site.origin}/article/301` }] })],
      ['/api/v1/ingest', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'A text.' }],
      ['/api/v1/status', {}],
      [`/api/v1/captures/${id}`, {}],
      [`/api/v1/urls?url=${encodeURIComponent(`${site.origin}/article/201`)}`, {}],
    ]
    for (const [path, init] of ways) {
      const answer = await within(AT_ONCE_MS, system.ask(path, init))
      expect({ path, ...answer.problem() }).toMatchObject({ path, status: 503, detail: expect.stringContaining('Redis') })
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    }
    expect((await within(AT_ONCE_MS, system.ask('/readyz'))).status).toBe(503)
    expect((await within(AT_ONCE_MS, system.ask('/healthz'))).status).toBe(200)
    expect((await within(AT_ONCE_MS, system.ask('/api/v1/search?q=harbour'))).status).toBe(200)
  })

  test('the command line says so in one line', async () => {
    for (const args of [['ingest', `${site.origin}/article/301`], ['status'], ['trace', `${site.origin}/article/201`]]) {
      const { code, stdout, stderr } = await system.cli(args)
      expect({ args, code, stdout, stderr }).toEqual({
        args,
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^copydesk: .*Redis.*\n$/),
      })
    }
  })

  test('when it is back, what was accepted before goes on, and nothing is lost or doubled', { timeout: 90_000 }, async () => {
    redis = await ensureRedis({ folder: stores.redis, log, port: redis.port })
    await vi.waitFor(async () => expect((await system.ask('/readyz')).status).toBe(200), { timeout: 15_000, interval: 100 })
    await vi.waitFor(async () => expect(await system.status()).toMatchObject({ inFlight: 0 }), { timeout: 60_000, interval: 250 })
    expect(await system.status()).toMatchObject({ balanced: true, accepted: 41, outcomes: { indexed: 41, failed: 0 } })
    const [view] = await system.run(`${site.origin}/article/302`)
    expect(view?.outcome).toBe('indexed')
    await system.client.indices.refresh({ index: system.alias })
    expect((await system.client.count({ index: system.alias })).count).toBe(42)
  })
})

test('while Redis is frozen the API says so in seconds, and goes on as soon as it wakes', async () => {
  process.kill(redis.pid, 'SIGSTOP')
  try {
    const asked = [system.ask('/api/v1/ingest', json({ items: [{ url: `${site.origin}/article/303` }] })), system.ask('/api/v1/status')]
    for (const answer of await within(FROZEN_MS, Promise.all(asked)))
      expect(answer.problem()).toMatchObject({ status: 503, detail: expect.stringContaining('Redis') })
  } finally {
    process.kill(redis.pid, 'SIGCONT')
  }
  await vi.waitFor(async () => expect(await system.status()).toMatchObject({ balanced: true, inFlight: 0 }), {
    timeout: 20_000,
    interval: 250,
  })
  const [view] = await system.run(`${site.origin}/article/304`)
  expect(view?.outcome).toBe('indexed')
})

test('while Redis is another than the archive was filled with, nothing moves, and everybody says why', async () => {
  const connection = connectRedis(redis.url, 'worker', log)
  const epoch = `${system.prefix}:epoch`
  const rightful = (await connection.get(epoch)) ?? ''
  await connection.set(epoch, 'of another archive')
  const readyz = z.object({ waitingFor: z.array(z.string()) })
  await vi.waitFor(
    async () => {
      for (const { name, health } of system.processes().filter(({ health }) => health?.startsWith('http'))) {
        const answer = await fetch(`${health}/readyz`)
        expect({ name, ...readyz.parse(await answer.json()) }).toEqual({
          name,
          waitingFor: [expect.stringContaining('Redis is another one')],
        })
      }
    },
    { timeout: 10_000, interval: 250 },
  )
  expect((await system.ask('/api/v1/status')).problem()).toMatchObject({ status: 503, code: 'epoch-lost' })
  const refused = await system.ask('/api/v1/ingest', json({ items: [{ url: `${site.origin}/article/305` }] }))
  expect(refused.problem()).toMatchObject({ status: 503, code: 'intake-closed', detail: expect.stringContaining('Redis is another one') })

  await connection.set(epoch, rightful)
  connection.disconnect()
  await vi.waitFor(async () => expect((await system.ask('/readyz')).status).toBe(200), { timeout: 10_000, interval: 250 })
  const [view] = await system.run(`${site.origin}/article/306`)
  expect(view?.outcome).toBe('indexed')
})

test('no process died of any of it', () => {
  expect(system.notices).toEqual([])
})
