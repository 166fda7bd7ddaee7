import { setTimeout as sleep } from 'node:timers/promises'
import { armFailpoints, RateLimitedError } from '@copydesk/pipeline'
import { createHomeStore } from '@copydesk/queue'
import { type Circuit, createArticleIndex, createCircuit, createSearchClient, probeSearch, refreshSearch, search } from '@copydesk/search'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { incoming } from '../../packages/search/src/test-data.ts'
import { redisPart, silent } from '../support/redis.ts'
import { type ProxyFault, searchPart, startSearchProxy } from '../support/search.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const signal = new AbortController().signal
const idOf = (article: number) => incoming({ article }).article.articleId
const articles = (count: number, from = 0) =>
  Array.from({ length: count }, (_, nth) => incoming({ article: from + nth, capture: from + nth }))

type Proxy = Awaited<ReturnType<typeof startSearchProxy>>
let client: Awaited<ReturnType<typeof searchPart>>['client']
let names: Awaited<ReturnType<typeof searchPart>>['names']
let proxy: Proxy
let circuit: Circuit
let lines: string[]

beforeEach(async () => {
  ;({ client, names } = await searchPart(NOW))
  proxy = await startSearchProxy(() => 'pass')
  lines = []
})

/** An index behind the proxy, with a circuit, on homes of its own. */
async function openIndex(options: { patienceMs?: number } = {}) {
  const { redis, prefix } = await redisPart()
  const narrow = createSearchClient({ url: proxy.url })
  const note = (_fields: object, message: string) => void lines.push(message)
  circuit = createCircuit({ log: { ...silent, info: note, warn: note }, probe: async () => await probeSearch(narrow, names) })
  const index = createArticleIndex({ client: narrow, homes: createHomeStore(redis, prefix), log: silent, names, circuit, ...options })
  onTestFinished(async () => {
    circuit.close()
    proxy.choose(() => 'pass')
    await index.close()
    await narrow.close()
  })
  return index
}

async function untilFlows(): Promise<void> {
  while (!circuit.flows()) await sleep(20)
}

async function countOf(): Promise<number> {
  await refreshSearch(client, names)
  return (await search(client, { q: '' }, names)).total
}

const unavailable = { name: 'RateLimitedError', code: 'search-unavailable' }
const TOO_MUCH = { status: 429, type: 'es_rejected_execution_exception' }

/** Which requests fail: to a share of them, by a seed. */
function chance(share: number, seed = 7) {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648 < share
  }
}

describe('the circuit around an Elasticsearch', () => {
  it('that is gone opens at once, refuses what waits and what comes without asking, and closes when it is back', async () => {
    const index = await openIndex()
    await index.index(incoming({ article: 1 }), signal)
    proxy.stop()
    const [first, second] = articles(2, 10)
    const failed = index.index(first!, signal)
    const waiting = sleep(60).then(() => index.index(second!, signal))
    await expect(failed).rejects.toMatchObject({ ...unavailable, message: expect.stringContaining('ECONNREFUSED') })
    await expect(waiting).rejects.toMatchObject(unavailable)
    expect([circuit.flows(), circuit.reason()]).toEqual([false, expect.stringContaining('ECONNREFUSED')])
    const before = performance.now()
    const refused = await index.index(first!, signal).catch((error: unknown) => error)
    expect(performance.now() - before).toBeLessThan(20)
    expect(refused).toMatchObject({ ...unavailable, message: circuit.reason() })
    expect((refused as { ms: number }).ms).toBeLessThanOrEqual(circuit.waitMs() + 600)
    await proxy.start()
    await untilFlows()
    await Promise.all([first!, second!].map((article) => index.index(article, signal)))
    expect(lines).toEqual(["Elasticsearch can't be used: waiting", 'Elasticsearch is back'])
    expect(circuit.reason()).toBeNull()
  })

  it('that takes connections and never answers opens within ten seconds, for all that waited', async () => {
    const index = await openIndex()
    await index.index(incoming({ article: 1 }), signal)
    proxy.choose(() => 'silent')
    const since = performance.now()
    const results = await Promise.allSettled(articles(500, 10).map((article) => index.index(article, signal)))
    expect(performance.now() - since).toBeLessThan(11_500)
    expect(results.every((result) => result.status === 'rejected' && result.reason.name === 'RateLimitedError')).toBe(true)
    expect(circuit.reason()).toContain('no answer in time')
  })

  it('that is blocked does not spin, although it answers, and goes on when the block is lifted', async () => {
    const index = await openIndex()
    const block = (value: true | null) =>
      client.indices.putSettings({ index: names.partitions, settings: { 'blocks.read_only_allow_delete': value } })
    await block(true)
    const since = performance.now()
    const all = articles(50)
    while (performance.now() - since < 2_000) {
      await untilFlows()
      await Promise.allSettled(all.map((article) => index.index(article, signal)))
    }
    expect(proxy.bulks().length).toBeLessThanOrEqual(4)
    expect(circuit.reason()).toContain('free space')
    await block(null)
    await untilFlows()
    await Promise.all(all.map((article) => index.index(article, signal)))
    expect([circuit.reason(), await countOf()]).toEqual([null, 50])
    expect(lines).toEqual(["Elasticsearch can't be used: waiting", 'Elasticsearch is back'])
  })

  it('waits as long as a partition is lost, and says which', async () => {
    await openIndex()
    await client.indices.create({
      index: names.partition('2026.10'),
      aliases: { [names.all]: {} },
      settings: { 'index.routing.allocation.require._name': 'no-such-node' },
      wait_for_active_shards: 0,
    })
    circuit.failed({ status: 0, type: 'no answer in time' })
    await sleep(1_200)
    expect(circuit.flows()).toBe(false)
    expect(circuit.reason()).toContain(`the partition ${names.partition('2026.10')} does not answer`)
    await client.indices.delete({ index: names.partition('2026.10') })
    await untilFlows()
  })

  it('is not opened by a Redis that is away, nor by one article that is no article', async () => {
    const index = await openIndex()
    const down = () => Promise.reject(new Error('Connection is closed.'))
    const homes = { get: down, claim: down, remember: down, serverChanged: down }
    const other = createArticleIndex({ client, homes, log: silent, names, circuit })
    await expect(other.index(incoming(), signal)).rejects.toMatchObject(unavailable)
    const results = await Promise.allSettled([
      index.index(incoming({ article: 1 }, { urls: undefined as never }), signal),
      index.index(incoming({ article: 2 }), signal),
    ])
    expect(results).toMatchObject([{ reason: { name: 'TypeError' } }, { value: { outcome: 'indexed' } }])
    expect([circuit.flows(), lines]).toEqual([true, []])
    await other.close()
  })
})

describe('a bulk', () => {
  it('passes its failpoints directly before and after the request', async () => {
    const index = await openIndex()
    const passed: string[] = []
    armFailpoints((name, side) => void passed.push(`${name} ${side} ${proxy.bulks().length}`))
    onTestFinished(() => armFailpoints(null))
    await index.index(incoming(), signal)
    expect(passed.filter((line) => line.startsWith('bulk'))).toEqual(['bulk before 0', 'bulk after 1'])
  })

  it('sends only the items again that were turned away, in halves where it was too much', async () => {
    const index = await openIndex()
    let bulks = 0
    proxy.choose(({ path }) => {
      if (!path.startsWith('/_bulk')) return 'pass'
      bulks += 1
      return bulks === 1 ? { items: (nth) => (nth < 20 ? TOO_MUCH : null) } : 'pass'
    })
    const results = await Promise.all(articles(100).map((article) => index.index(article, signal)))
    expect(results.every(({ outcome, written }) => outcome === 'indexed' && written)).toBe(true)
    const [first, ...again] = proxy.bulks().map(({ ids }) => ids)
    expect([first!.length, again.map((ids) => ids.length)]).toEqual([100, [20]])
    expect(again[0]).toEqual(first!.slice(0, 20))
    expect([circuit.flows(), lines]).toEqual([true, []])
  })

  it('is halved as often as it is too much', async () => {
    const index = await openIndex()
    proxy.choose(({ ids }) => (ids.length > 25 ? { status: 429 } : 'pass'))
    await Promise.all(articles(100).map((article) => index.index(article, signal)))
    expect(proxy.bulks().map(({ ids }) => ids.length)).toEqual([100, 50, 50, 25, 25, 25, 25])
    expect(await countOf()).toBe(100)
  })

  it('sends no further part after one that met a block', async () => {
    const index = await openIndex()
    const blocked: ProxyFault = { items: () => ({ status: 403, type: 'cluster_block_exception' }) }
    proxy.choose(({ path }) => (path.startsWith('/_bulk') ? (proxy.bulks().length === 0 ? { status: 429 } : blocked) : 'pass'))
    const results = await Promise.allSettled(articles(100).map((article) => index.index(article, signal)))
    expect(results.every((result) => result.status === 'rejected' && result.reason.name === 'RateLimitedError')).toBe(true)
    expect(proxy.bulks().map(({ ids }) => ids.length)).toEqual([100, 50])
  })

  it('is sent no further time once the circuit is open', async () => {
    const index = await openIndex()
    proxy.choose(({ path }) => {
      if (!path.startsWith('/_bulk')) return 'pass'
      // Another batch finds at this moment that nothing goes.
      circuit.failed({ status: 0, type: 'no answer in time' })
      return { status: 503 }
    })
    await expect(index.index(incoming(), signal)).rejects.toMatchObject(unavailable)
    expect(proxy.bulks()).toHaveLength(1)
  })

  it('puts an item back that is turned away every time, and its neighbours are written', async () => {
    const index = await openIndex()
    const odd = idOf(3)
    proxy.choose(({ path, ids }) =>
      path.startsWith('/_bulk')
        ? { items: (nth) => (ids[nth] === odd ? { status: 503, type: 'unavailable_shards_exception' } : null) }
        : 'pass',
    )
    const results = await Promise.allSettled(articles(10).map((article) => index.index(article, signal)))
    expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: unavailable }])
    expect(proxy.bulks().map(({ ids }) => ids.length)).toEqual([10, 1, 1, 1, 1])
    expect([circuit.flows(), await countOf()]).toEqual([true, 9])
  })

  it('spends an attempt on the one document at which the server breaks, and opens the circuit where it breaks at all', async () => {
    const index = await openIndex()
    const odd = idOf(3)
    proxy.choose(({ path, ids }) =>
      path.startsWith('/_bulk') ? { items: (nth) => (ids[nth] === odd ? { status: 500, type: 'null_pointer_exception' } : null) } : 'pass',
    )
    const results = await Promise.allSettled(articles(10).map((article) => index.index(article, signal)))
    expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { name: 'RetryableError', code: 'search-rejected' } },
    ])
    expect(circuit.flows()).toBe(true)
    await expect(index.index(incoming({ article: 3 }), signal)).rejects.toMatchObject(unavailable)
    expect(circuit.flows()).toBe(false)
  })

  it('whose answer was lost after it was written is found written, not written twice', async () => {
    const index = await openIndex()
    let bulks = 0
    proxy.choose(({ path }) => (path.startsWith('/_bulk') && (bulks += 1) === 1 ? 'lose' : 'pass'))
    const results = await Promise.all(articles(30).map((article) => index.index(article, signal)))
    expect(results.every(({ outcome, written }) => outcome === 'indexed' && written)).toBe(true)
    expect([proxy.bulks().length, circuit.flows(), await countOf()]).toEqual([1, true, 30])
  })

  it('that takes too long puts its articles back before their deadline', async () => {
    const index = await openIndex({ patienceMs: 300 })
    proxy.choose(({ path }) => (path.startsWith('/_bulk') ? { delayMs: 1_000 } : 'pass'))
    await expect(index.index(incoming(), signal)).rejects.toMatchObject({ ...unavailable, message: expect.stringContaining('slow') })
    expect(circuit.flows()).toBe(true)
  })
})

describe('indexing where requests fail', () => {
  const COUNT = 1_000

  /** Indexes as a worker does: 200 at once, and again what was put back; after a second at most, for the queue's waiting is not what is measured. */
  async function drain(): Promise<{ seconds: number; cpuMs: number; putBack: number }> {
    const index = await openIndex()
    const left = articles(COUNT)
    let putBack = 0
    const since = performance.now()
    const cpu = process.cpuUsage()
    const work = async () => {
      for (let article = left.shift(); article !== undefined; article = left.shift()) {
        await untilFlows()
        try {
          await index.index(article, signal)
        } catch (error) {
          if (!(error instanceof RateLimitedError)) throw error
          putBack += 1
          await sleep(Math.min(1_000, error.ms))
          left.push(article)
        }
      }
    }
    await Promise.all(Array.from({ length: 200 }, work))
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - since) / 1000, cpuMs: (user + system) / 1000, putBack }
  }

  const fails = chance(0.3)
  const loses = chance(0.1)
  const statuses = [429, 502, 503, 504]
  let turn = 0
  const whole = (): ProxyFault => (fails() ? { status: statuses[(turn += 1) % 4]! } : 'pass')
  const items = { items: () => (fails() ? { ...TOO_MUCH, status: statuses[(turn += 2) % 4]! } : null) }
  it.each<[string, Parameters<Proxy['choose']>[0]]>([
    ['nothing', () => 'pass'],
    ['30 % of all requests by 429, 502, 503 and 504', whole],
    ['30 % of all items by 429 and 503', ({ path }) => (path.startsWith('/_bulk') ? items : 'pass')],
    ['10 % of all answers, lost', () => (loses() ? 'lose' : 'pass')],
  ])('loses nothing, writes nothing twice and does not crawl: %s', async (what, choose) => {
    proxy.choose(choose)
    const { seconds, cpuMs, putBack } = await drain()
    const bulks = proxy.bulks()
    const arrived = bulks.flatMap((bulk) => bulk.arrived)
    console.log(
      `failing: ${what}: ${seconds.toFixed(1)} s, ${(cpuMs / COUNT).toFixed(2)} ms CPU per document, ${bulks.length} bulks (${COUNT / 200} without faults), ` +
        `${arrived.length} documents arrived, ${putBack} put back, circuit opened ${lines.length / 2} times`,
    )
    expect(await countOf()).toBe(COUNT)
    // What was written is not sent again, not even where the answer was lost.
    expect([arrived.length, new Set(arrived).size]).toEqual([COUNT, COUNT])
    expect(seconds).toBeLessThan(30)
  })
})
