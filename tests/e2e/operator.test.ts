import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureRedis, freePort, stopLocal } from '@copydesk/cli'
import { FailuresView, FailureView } from '@copydesk/contracts'
import { connectRedis } from '@copydesk/queue'
import { createNames } from '@copydesk/search'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type NewsSite, serveNews } from '../support/news-site.ts'
import { accepted, json, startTestSystem, type TestSystem } from '../support/system.ts'

/** A Redis of its own: it is emptied. */
let folder: string
let redisUrl: string
let site: NewsSite
let system: TestSystem
/** Where nothing listens. */
let deadPort: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'copydesk-e2e-redis-'))
  ;[{ url: redisUrl }, site, deadPort] = await Promise.all([
    ensureRedis({ folder, log: () => undefined }),
    serveNews(),
    freePort('127.0.0.1'),
  ])
  system = await startTestSystem({
    sites: [site.port, deadPort],
    env: {
      REDIS_URL: redisUrl,
      KEEPER_MS: '1000',
      RETRY_ATTEMPTS: '1',
      INTAKE_MAX_IN_FLIGHT: '40',
      RECONCILE_UNTOUCHED_MS: '2000',
      SEGMENT_MS: '4000',
      AUDIT_MS: '2000',
      RAW_KEEP_DAYS: '1',
      PARSER_DEADLINE_MS: '2000',
    },
  })
})
afterAll(async () => {
  await system?.end()
  await site?.close()
  await stopLocal(folder)
  await rm(folder, { recursive: true, force: true })
})

const urls = (from: number, count: number, kind = 'article'): string[] =>
  Array.from({ length: count }, (_, at) => `${site.origin}/${kind}/${from + at}`)

const Numbers = z.record(z.string(), z.unknown())
const told = (stdout: string) => Numbers.parse(JSON.parse(stdout))

describe('dead letters', () => {
  test('are listed, shown whole, retried and dismissed, one and all', async () => {
    const dead = `http://127.0.0.1:${deadPort}`
    const views = await system.run(`${dead}/1`, `${dead}/2`, `${dead}/3`)
    expect(views.map(({ outcome, code }) => [outcome, code])).toEqual(views.map(() => ['failed', 'connect']))
    const [first, second] = views.map(({ captureId }) => captureId)

    const listed = FailuresView.parse((await system.cli(['failures', '--json'])).json())
    expect(listed.failures.map(({ url }) => url)).toEqual([`${dead}/1`, `${dead}/2`, `${dead}/3`])
    expect((await system.cli(['failures'])).stdout).toContain(`${first}  `)
    const whole = FailureView.parse((await system.cli(['failures', first!, '--json'])).json())
    expect(whole).toMatchObject({ failure: { stage: 'fetch', code: 'connect', cause: expect.stringContaining('127.0.0.1') } })
    expect(whole.capture.events.map(({ event }) => event)).toContain('ended')

    expect((await system.cli(['retry', first!])).stdout).toContain('under way again, at fetch')
    await vi.waitFor(async () => expect(await system.status()).toMatchObject({ inFlight: 0, outcomes: { failed: 3 } }), { timeout: 10_000 })
    expect((await system.cli(['dismiss', second!])).code).toBe(0)
    expect(await system.status()).toMatchObject({ balanced: true, outcomes: { failed: 2, dismissed: 1 } })

    const would = await system.cli(['dismiss', '--all'])
    expect(would).toMatchObject({ code: 0, stdout: 'would dismiss 2 dead letters: add --yes to do it\n' })
    expect(told((await system.cli(['retry', '--all', '--yes', '--json'])).stdout)).toEqual({ settled: 2, duplicates: 0, gone: 0 })
    await vi.waitFor(async () => expect(await system.status()).toMatchObject({ inFlight: 0, outcomes: { failed: 2 } }), { timeout: 10_000 })
    expect((await system.cli(['dismiss', '--all', '--yes'])).stdout).toBe('2 dismissed\n')
    expect((await system.cli(['failures'])).stdout).toBe('no dead letters\n')
  })

  test('what is no dead letter is refused in words', async () => {
    const [view] = await system.run(urls(1, 1)[0]!)
    const { code, stderr } = await system.cli(['retry', view!.captureId])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^copydesk: .*indexed.*\n$/) })
    const [slow] = await system.ingest([{ url: urls(1, 1, 'slow')[0] }])
    const underWay = await system.ask(`/api/v1/failures/${accepted(slow)}/dismiss`, json({}))
    expect(underWay.problem()).toMatchObject({ status: 409, code: 'no-dead-letter', detail: expect.stringContaining('under way') })
    expect((await system.cli(['failures', view!.captureId])).stderr).toMatch(/^copydesk: no dead letter.*\n$/)
    expect((await system.cli(['retry', 'x'])).stderr).toMatch(/^copydesk: x is no captureId.*\n$/)
    expect((await system.cli(['retry'])).stderr).toMatch(/^copydesk: retry needs a dead letter's captureId, or --all\n$/)
    await system.outcome(accepted(slow))
  })
})

test('an intake that is full says so, and the command line waits for room', async () => {
  const slow = urls(100, 30, 'slow')
  const results = await system.ingest(slow.map((url) => ({ url })))
  const refused = await system.ask('/api/v1/ingest', json({ items: urls(200, 20).map((url) => ({ url })) }))
  expect(refused.problem()).toMatchObject({ status: 429, code: 'queue-full', detail: expect.stringContaining('40') })
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  const waited = await system.cli(['ingest', ...urls(200, 20), '--wait', '--json'])
  expect(waited.code).toBe(0)
  await Promise.all(results.map(async (result) => await system.outcome(accepted(result))))
  expect(await system.status()).toMatchObject({ balanced: true, inFlight: 0 })
})

describe('the index', () => {
  test('is compared with the archive, and what is missing is written again', async () => {
    await system.client.indices.refresh({ index: system.alias })
    const before = (await system.client.count({ index: system.alias })).count
    const found = await system.client.search({ index: system.alias, size: 7, _source: false })
    const partition = Object.keys(await system.client.indices.get({ index: createNames(system.alias).partitions }))
    for (const { _id: id, _index: index } of found.hits.hits) await system.client.delete({ index, id: id! })
    expect(partition.length).toBeGreaterThan(0)

    // The keeper finds some of it by itself.
    await vi.waitFor(async () => expect((await system.status()).alarms).toEqual([expect.stringContaining('7 articles are missing')]), {
      timeout: 15_000,
      interval: 250,
    })
    const audit = await system.cli(['audit', '--json'])
    expect({ code: audit.code, ...told(audit.stdout) }).toMatchObject({ code: 1, applied: false, missing: 7, old: 0, repaired: 0 })
    expect((await system.cli(['status'])).stdout).toMatch(/^ALARM: .*7 articles are missing/)
    expect((await system.cli(['audit', '--repair', '--json'])).code).toBe(1)
    const repair = await system.cli(['audit', '--repair', '--yes', '--json'])
    expect({ code: repair.code, ...told(repair.stdout) }).toMatchObject({ code: 0, applied: true, missing: 7, repaired: 7 })
    const again = await system.cli(['audit'])
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Elasticsearch holds what the archive says') })
    await system.client.indices.refresh({ index: system.alias })
    expect((await system.client.count({ index: system.alias })).count).toBe(before)
    expect(await system.status()).toMatchObject({ alarms: [], balanced: true })
  })
})

test('a task whose scheduler is killed is begun again by the next one', { timeout: 60_000 }, async () => {
  const asked = system.cli(['audit', '--json'])
  await vi.waitFor(
    async () => expect((await system.ask('/api/v1/tasks/audit')).body).toMatchObject({ state: expect.stringMatching(/asked|running/) }),
    { timeout: 10_000, interval: 5 },
  )
  system.kill('scheduler', 'SIGKILL')
  expect(told((await asked).stdout)).toMatchObject({ missing: 0, old: 0 })
})

describe('a Redis that was emptied', () => {
  test('is filled again from the archive by recover, and everything goes on', { timeout: 90_000 }, async () => {
    const [ended] = await system.run(urls(300, 1)[0]!)
    const dead = await system.run(`http://127.0.0.1:${deadPort}/9`)
    const underWay = await system.ingest(urls(310, 15, 'slow').map((url) => ({ url })))
    const before = await system.status()
    const redis = connectRedis(redisUrl, 'worker', () => undefined)
    await redis.flushall()

    await vi.waitFor(
      async () => expect((await system.ask('/api/v1/status')).problem()).toMatchObject({ status: 503, code: 'epoch-lost' }),
      { timeout: 10_000 },
    )
    expect((await system.cli(['status'])).stderr).toContain('./copydesk recover')
    const would = await system.cli(['recover', '--json'])
    expect({ code: would.code, ...told(would.stdout) }).toMatchObject({ code: 0, applied: false, captures: before.accepted })
    expect((await system.ask('/api/v1/status')).status).toBe(503)
    const done = await system.cli(['recover', '--yes', '--json'])
    expect({ code: done.code, ...told(done.stdout) }).toMatchObject({ code: 0, applied: true, captures: before.accepted })

    await vi.waitFor(async () => expect((await system.ask('/readyz')).status).toBe(200), { timeout: 10_000 })
    const views = await Promise.all(underWay.map(async (result) => await system.outcome(accepted(result))))
    expect(views.map(({ outcome }) => outcome)).toEqual(views.map(() => 'indexed'))
    expect(await system.status()).toMatchObject({ balanced: true, accepted: before.accepted, inFlight: 0, outcomes: { failed: 1 } })
    // What had ended before is told as it was.
    expect(await system.outcome(ended!.captureId)).toMatchObject({ outcome: 'indexed', articleId: ended!.articleId })
    expect((await system.cli(['dismiss', dead[0]!.captureId])).code).toBe(0)
    redis.disconnect()
  })

  test('a Redis that belongs to the archive has nothing to recover', async () => {
    const { code, stderr } = await system.cli(['recover', '--yes'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^copydesk: recover failed: .*\n$/) })
  })
})

test('the segments that a killed process left open are closed', { timeout: 60_000 }, async () => {
  const openOnes = async (): Promise<string[]> => (await readdir(join(system.data, 'archive'))).filter((name) => name.endsWith('.open'))
  await system.run(urls(400, 1)[0]!)
  const left = (await openOnes()).filter((name) => name.startsWith('raw-'))
  expect(left.length).toBeGreaterThan(0)
  system.kill('fetch', 'SIGKILL')
  await system.ready('fetch')
  await vi.waitFor(async () => expect((await openOnes()).filter((name) => left.includes(name))).toEqual([]), {
    timeout: 30_000,
    interval: 500,
  })
  const names = await readdir(join(system.data, 'archive'))
  expect(left.map((name) => names.includes(name.replace('.open', '')))).toEqual(left.map(() => true))
})

test('fetched pages go by age, but none that a dead letter needs', { timeout: 90_000 }, async () => {
  const archive = join(system.data, 'archive')
  const closedOnes = async (): Promise<string[]> => (await readdir(archive)).filter((name) => /^raw-.*gz$/.test(name))
  const before = await closedOnes()
  const [dead] = await system.run(`${site.origin}/tangle/1`)
  expect(dead).toMatchObject({ outcome: 'failed', stage: 'clean', code: 'parser-timeout' })
  await vi.waitFor(async () => expect((await closedOnes()).length).toBeGreaterThan(before.length), { timeout: 20_000, interval: 250 })
  const needed = (await closedOnes()).find((name) => !before.includes(name))!
  const longAgo = new Date(Date.now() - 2 * 24 * 3_600_000)
  for (const name of [...before, needed]) await utimes(join(archive, name), longAgo, longAgo)
  await system.restart('scheduler')
  await vi.waitFor(async () => expect((await closedOnes()).filter((name) => before.includes(name))).toEqual([]), {
    timeout: 40_000,
    interval: 250,
  })
  expect(await closedOnes()).toContain(needed)
  expect((await system.cli(['retry', dead!.captureId])).code).toBe(0)
  await vi.waitFor(async () => expect(await system.status()).toMatchObject({ inFlight: 0 }), { timeout: 20_000, interval: 250 })
  expect(await system.outcome(dead!.captureId)).toMatchObject({ outcome: 'failed', code: 'parser-timeout' })
  expect((await system.cli(['dismiss', dead!.captureId])).code).toBe(0)
})

test('what orders something must come as JSON: a page in a browser can send the rest', async () => {
  for (const path of ['/api/v1/tasks/recover', '/api/v1/failures/dismiss']) {
    const answer = await system.ask(path, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"apply":true}' })
    expect(answer.problem()).toMatchObject({ status: 415, code: 'unsupported-type' })
  }
})

test('no process died of any of it but those that were killed', () => {
  expect(system.notices.filter((notice) => !/^(?:fetch|scheduler) ended \(SIGKILL\)/.test(notice))).toEqual([])
})
