import type { ArticleId } from '@copydesk/contracts'
import { createHomeStore } from '@copydesk/queue'
import {
  type Auditor,
  createArticleIndex,
  createAuditor,
  createSearchClient,
  getArticle,
  type IncomingArticle,
  refreshSearch,
  search,
  setUpSearch,
} from '@copydesk/search'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type ArticleFacts, captureIdOf, incoming } from '../../packages/search/src/test-data.ts'
import { redisPart, silent } from '../support/redis.ts'
import { searchPart, startSearchProxy } from '../support/search.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const signal = new AbortController().signal
const at = (hour: number) => new Date(Date.UTC(2026, 10, 20, hour)).toISOString()
const idOf = (article: number): ArticleId => incoming({ article }).article.articleId

let client: Awaited<ReturnType<typeof searchPart>>['client']
let names: Awaited<ReturnType<typeof searchPart>>['names']
let redis: Awaited<ReturnType<typeof redisPart>>['redis']
let prefix: string

beforeEach(async () => {
  ;({ client, names } = await searchPart(NOW))
  ;({ redis, prefix } = await redisPart())
})

function openIndex(over = client) {
  const index = createArticleIndex({ client: over, homes: createHomeStore(redis, prefix), log: silent, names })
  onTestFinished(() => index.close())
  return index
}

function openAuditor(over = client): Auditor {
  const auditor = createAuditor({ client: over, homes: createHomeStore(redis, prefix), log: silent, names })
  onTestFinished(() => auditor.close())
  return auditor
}

/** Takes captures through the pipeline's own writer, one after another; those that an audit would be given come back. */
async function pipeline(all: ArticleFacts[]): Promise<IncomingArticle[]> {
  const index = openIndex()
  const audited: IncomingArticle[] = []
  for (const facts of all) {
    const { outcome } = await index.index(incoming(facts), signal)
    if (outcome === 'indexed' || outcome === 'unchanged') audited.push(incoming(facts))
  }
  return audited
}

/** Three articles: one corrected, one whose teaser became whole, one that a shortened version and an older one came for; the second capture of each is of the next month. */
const CAPTURES: ArticleFacts[] = [
  { article: 1, capture: 1, fetchedAt: at(1) },
  { article: 2, capture: 2, fetchedAt: at(2), extent: 'teaser' },
  { article: 3, capture: 3, fetchedAt: at(3) },
  { article: 1, capture: 4, fetchedAt: '2026-12-01T00:00:00.000Z', content: 'corrected' },
  { article: 2, capture: 5, fetchedAt: '2026-12-01T00:00:00.000Z', content: 'whole' },
  { article: 3, capture: 6, fetchedAt: '2026-12-01T00:00:00.000Z', wordCount: 10 },
  { article: 3, capture: 7, fetchedAt: at(1) },
  { article: 3, capture: 8, fetchedAt: '2026-12-01T01:00:00.000Z' },
]

/** Every document by its id, with its partition; without what a write alone decides. */
async function documents(): Promise<Record<string, unknown>> {
  await refreshSearch(client, names)
  const { hits } = await client.search<Record<string, unknown>>({ index: names.all, size: 1000 })
  return Object.fromEntries(hits.hits.map(({ _index, _id, _source }) => [_id, { _index, ..._source, indexedAt: null }]))
}

/** Puts a partition of a copy in the place of the one that is there, as a restored snapshot would. */
async function setBack(month: string, copy: string): Promise<void> {
  const index = names.partition(month)
  const { aliases } = (await client.indices.get({ index }))[index]!
  await client.indices.delete({ index })
  await client.indices.clone({ index: copy, target: index, settings: { 'index.blocks.write': null } })
  await client.indices.updateAliases({
    actions: Object.entries(aliases!).map(([alias, options]) => ({ add: { index, alias, ...options } })),
  })
  await client.indices.delete({ index: copy })
}

async function copyOf(month: string): Promise<string> {
  const copy = `${names.live}-copy-${month}`
  await client.indices.putSettings({ index: names.partition(month), settings: { 'blocks.write': true } })
  await client.indices.clone({ index: names.partition(month), target: copy })
  await client.indices.putSettings({ index: names.partition(month), settings: { 'blocks.write': null } })
  onTestFinished(async () => void (await client.indices.delete({ index: copy }, { ignore: [404] })))
  return copy
}

async function forgetHomes(): Promise<void> {
  const keys = await redis.keys(`${prefix.replaceAll('{', '\\{')}:home:*`)
  if (keys.length > 0) await redis.del(keys)
}

describe('an audit', () => {
  it('finds nothing to do beside what the pipeline wrote', async () => {
    const records = await pipeline(CAPTURES)
    expect(records).toHaveLength(6)
    const before = await documents()
    const nothing = { checked: 6, missing: [], old: [], repaired: 0, kept: 6, rejected: [] }
    expect(await openAuditor().audit(records, { repair: false })).toEqual(nothing)
    expect(await openAuditor().audit(records, { repair: true })).toEqual(nothing)
    expect(await documents()).toEqual(before)
  })

  it('says what is missing and what is old, and writes nothing without repair: no document, no partition, no home', async () => {
    const records = await pipeline(CAPTURES)
    await client.delete({ index: names.write('2026.11'), id: idOf(1) })
    const { _source: document } = await client.get<object>({ index: names.write('2026.11'), id: idOf(3) })
    const older = { ...document, captureId: captureIdOf(3), fetchedAt: at(3) }
    await client.index({ index: names.write('2026.11'), id: idOf(3), document: older, version: 50, version_type: 'external' })
    await forgetHomes()
    const fresh = [...records, incoming({ article: 9, capture: 9, fetchedAt: '2024-01-01T00:00:00.000Z' })]
    const writes: string[] = []
    client.diagnostic.on('request', (_, event) => {
      const { method = '', path = '' } = event?.meta.request.params ?? {}
      if (method !== 'GET' && method !== 'HEAD' && !/_search|_mget|_refresh/.test(path)) writes.push(`${method} ${path}`)
    })
    expect(await openAuditor().audit(fresh, { repair: false })).toEqual({
      checked: 7,
      missing: [idOf(1), idOf(9)],
      old: [idOf(3)],
      repaired: 0,
      kept: 3,
      rejected: [],
    })
    expect(writes).toEqual([])
    expect(await redis.keys(`${prefix.replaceAll('{', '\\{')}:home:*`)).toEqual([])
    expect(await client.indices.exists({ index: names.partition('2024.01') })).toBe(false)
  })

  it('puts back exactly what is missing or old, as it was', async () => {
    const records = await pipeline(CAPTURES)
    const before = await documents()
    const { _version: untouched } = await client.get({ index: names.write('2026.11'), id: idOf(2) })
    await client.delete({ index: names.write('2026.11'), id: idOf(1) })
    const first = incoming(CAPTURES[2])
    await client.delete({ index: names.write('2026.11'), id: idOf(3) })
    await openIndex().index(first, signal)
    const auditor = openAuditor()
    expect(await auditor.audit(records, { repair: true })).toMatchObject({ missing: [idOf(1)], old: [idOf(3)], repaired: 2, kept: 3 })
    expect(await documents()).toEqual(before)
    expect((await client.get({ index: names.write('2026.11'), id: idOf(2) }))._version).toBe(untouched)
    expect(await auditor.audit(records, { repair: true })).toMatchObject({ missing: [], old: [], repaired: 0, kept: 6 })
  })

  it.each([
    ['while Redis remembers', async () => undefined],
    ['after Redis forgot', forgetHomes],
  ])('puts back what an index that was set back has lost, %s', async (_, forget) => {
    const records = await pipeline(CAPTURES.slice(0, 2))
    const copy = await copyOf('2026.11')
    records.push(...(await pipeline(CAPTURES.slice(2))))
    const before = await documents()
    await setBack('2026.11', copy)
    await forget()
    expect(await openAuditor().audit(records, { repair: true })).toMatchObject({
      missing: [idOf(3)],
      old: [idOf(1), idOf(2)],
      repaired: 3,
      kept: 2,
    })
    expect(await documents()).toEqual(before)
  })

  it('builds an empty index anew, batch by batch, each article in the month of its first capture', async () => {
    const records = await pipeline(CAPTURES)
    const before = await documents()
    await client.indices.delete({ index: [names.partition('2026.11'), names.partition('2026.12')] })
    await forgetHomes()
    await setUpSearch(client, { now: NOW, names })
    const auditor = openAuditor()
    const reports = []
    for (const batch of [records.slice(0, 2), records.slice(2, 4), records.slice(4)])
      reports.push(await auditor.audit(batch, { repair: true }))
    expect(reports.map(({ missing, old, repaired }) => [missing.length, old.length, repaired])).toEqual([
      [2, 0, 2],
      [1, 1, 2],
      [0, 2, 2],
    ])
    expect(await documents()).toEqual(before)
  })

  it('builds it from nothing at all, without a set-up', async () => {
    const records = await pipeline(CAPTURES)
    const before = await documents()
    await client.indices.delete({ index: [names.partition('2026.11'), names.partition('2026.12')] })
    await forgetHomes()
    expect(await openAuditor().audit(records, { repair: false })).toMatchObject({ missing: [1, 2, 3].map(idOf) })
    expect(await openAuditor().audit(records, { repair: true })).toMatchObject({ missing: [1, 2, 3].map(idOf), repaired: 3 })
    expect(await documents()).toEqual(before)
  })

  it('never looks in the month that a record would have: an article lies where it was first written', async () => {
    const records = await pipeline(CAPTURES)
    const last = records.filter(({ fetchedAt }) => fetchedAt.startsWith('2026-12'))
    await forgetHomes()
    expect(await openAuditor().audit(last, { repair: true })).toMatchObject({ missing: [], old: [], kept: last.length })
    expect(Object.keys(await documents())).toHaveLength(3)
  })

  it('sees what was written a moment ago: before it began, since by a worker whose home is remembered, and by one forgotten when told', async () => {
    const index = openIndex()
    const [one, two, three] = [1, 2, 3].map((article) => incoming({ article, capture: article, fetchedAt: at(1) })) as [
      IncomingArticle,
      IncomingArticle,
      IncomingArticle,
    ]
    await index.index(one, signal)
    await forgetHomes()
    const auditor = openAuditor()
    expect(await auditor.audit([one], { repair: false })).toMatchObject({ missing: [], kept: 1 })
    await index.index(two, signal)
    expect(await auditor.audit([two], { repair: false })).toMatchObject({ missing: [], kept: 1 })
    await index.index(three, signal)
    await forgetHomes()
    expect(await auditor.audit([three], { repair: false, refresh: true })).toMatchObject({ missing: [], kept: 1 })
  })

  it('leaves a retracted article hidden, a stub too', async () => {
    const records = await pipeline(CAPTURES)
    const write = { index: names.write('2026.11'), version: 50, version_type: 'external' as const }
    const { _source: document } = await client.get<object>({ index: names.write('2026.11'), id: idOf(1) })
    await client.index({ ...write, id: idOf(1), document: { ...document, status: 'retracted' } })
    await client.index({ ...write, id: idOf(2), document: { status: 'retracted' } })
    expect(await openAuditor().audit(records, { repair: true })).toMatchObject({ missing: [], old: [], repaired: 0, rejected: [] })
    await refreshSearch(client, names)
    expect(await getArticle(client, idOf(1), names)).toBeNull()
    expect((await search(client, { q: '' }, names)).articles.map(({ articleId }) => articleId)).toEqual([idOf(3)])
  })

  it('says what Elasticsearch refuses or what is foreign, and puts back the rest', async () => {
    const bad = incoming({ article: 1 }, { image: 'no image' as never })
    await client.index({ index: names.write('2026.11'), id: idOf(2), document: { something: 'else' }, refresh: true })
    const records = [bad, incoming({ article: 2 }), incoming({ article: 3 })]
    expect(await openAuditor().audit(records, { repair: true })).toMatchObject({ repaired: 1, rejected: [idOf(2), idOf(1)] })
    expect((await client.get({ index: names.write('2026.11'), id: idOf(2) }))._source).toEqual({ something: 'else' })
  })

  it('is right beside another audit and a worker that writes the same articles', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...Array(8).keys()], { minLength: 8 }), fc.integer({ min: 100 }), async (order, article) => {
        const captures = [...Array(8).keys()].map((capture) =>
          incoming({ article, capture, fetchedAt: at(capture), content: `${capture}` }),
        )
        const index = openIndex()
        await Promise.all([
          openAuditor().audit(captures, { repair: true }),
          openAuditor().audit(captures.slice(0, 5), { repair: true }),
          ...order.map((capture) => index.index(captures[capture]!, signal)),
        ])
        const { _source } = await client.get<{ captureId: string }>({ index: names.write('2026.11'), id: captures[0]!.article.articleId })
        expect(_source?.captureId).toBe(captureIdOf(7))
      }),
      { numRuns: 5 },
    )
    const all = Object.keys(await documents())
    expect(new Set(all).size).toBe(all.length)
  })

  it('gets through where a third of all requests fail, each article put back once', async () => {
    const records = Array.from({ length: 60 }, (_, article) => incoming({ article, capture: article, fetchedAt: at(1) }))
    let count = 0
    const proxy = await startSearchProxy(() => ((count += 1) % 3 === 0 ? { status: [429, 502, 503, 504][count % 4]! } : 'pass'))
    const flaky = createSearchClient({ url: proxy.url })
    const auditor = openAuditor(flaky)
    for (const batch of [records.slice(0, 30), records.slice(30)])
      expect(await auditor.audit(batch, { repair: true })).toMatchObject({ repaired: 30, rejected: [] })
    await flaky.close()
    expect(Object.keys(await documents())).toHaveLength(60)
  })

  it('waits for what was put back, and keeps the order of an article’s captures', async () => {
    const records = [incoming({ capture: 1, fetchedAt: at(1) }), incoming({ capture: 2, fetchedAt: at(2), content: 'b' })]
    let bulks = 0
    const full = { items: () => ({ status: 503, type: 'unavailable_shards_exception' }) }
    const proxy = await startSearchProxy(({ path }) => (path.startsWith('/_bulk') && (bulks += 1) <= 5 ? full : 'pass'))
    const flaky = createSearchClient({ url: proxy.url })
    expect(await openAuditor(flaky).audit(records, { repair: true })).toMatchObject({ missing: [idOf(1)], repaired: 1, rejected: [] })
    await flaky.close()
    const { _source: document } = await client.get({ index: names.write('2026.11'), id: idOf(1) })
    expect(document).toMatchObject({ captureId: captureIdOf(2), firstSeenAt: at(1) })
  })
})
