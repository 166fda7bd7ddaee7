import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureRedis, stopLocal } from '@copydesk/cli'
import type { ArticleId } from '@copydesk/contracts'
import { connectRedis, createHomeStore } from '@copydesk/queue'
import { type ArticleIndex, createArticleIndex, createNames, createSearchClient, refreshSearch, setUpSearch } from '@copydesk/search'
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { sendBulk } from '../../packages/search/src/bulk.ts'
import { buildDocument } from '../../packages/search/src/document.ts'
import { incoming } from '../../packages/search/src/test-data.ts'
import { redisPart, silent } from '../support/redis.ts'
import { dropArticles, startSearchProxy } from '../support/search.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const NOVEMBER = '2026-11-30T23:59:00Z'
const DECEMBER = '2026-12-01T00:01:00Z'
const signal = new AbortController().signal

let client: ReturnType<typeof createSearchClient>
let names: ReturnType<typeof createNames>
let redis: Awaited<ReturnType<typeof redisPart>>['redis']
let prefix: string

beforeEach(async () => {
  client = createSearchClient({ url: inject('elasticsearchUrl') })
  names = createNames(`test-${randomUUID().slice(0, 8)}`)
  await setUpSearch(client, { now: NOW, names })
  // No test may pass or fail by a refresh that came by itself.
  await client.indices.putSettings({ index: names.partitions, settings: { refresh_interval: '-1' } })
  const part = await redisPart()
  redis = part.redis
  prefix = part.prefix
})

afterEach(async () => {
  await dropArticles(client, names.live)
  await client.close()
})

type Homes = ReturnType<typeof createHomeStore>

function openIndex(changes: Partial<Homes> = {}): ArticleIndex {
  const index = createArticleIndex({ client, homes: { ...createHomeStore(redis, prefix), ...changes }, log: silent, names })
  onTestFinished(() => index.close())
  return index
}

/** In which months an article lies. */
async function monthsOf(articleId: ArticleId): Promise<string[]> {
  const months = ['2026.11', '2026.12']
  const there = await Promise.all(months.map((month) => client.exists({ index: names.write(month), id: articleId })))
  return months.filter((_, at) => there[at])
}

/** The paths that are asked from here on. */
function askedFor(part: string): string[] {
  const paths: string[] = []
  client.diagnostic.on('request', (_, event) => {
    const path = event?.meta.request.params.path ?? ''
    if (path.includes(part)) paths.push(path)
  })
  return paths
}

async function forgetHomes(): Promise<void> {
  const keys = await redis.keys(`${prefix.replaceAll('{', '\\{')}:home:*`)
  if (keys.length > 0) await redis.del(keys)
}

describe('the home of an article', () => {
  it('is found after Redis was replaced under a running worker: it refreshes once before it believes a search', async () => {
    // What the home store answers, each time that it is asked: the worker's first look, one behind the replacement, two after it.
    const changes = [true, true, false, false]
    const index = openIndex({ serverChanged: async () => changes.shift()! })
    await index.index(incoming({ article: 1, capture: 1, fetchedAt: NOVEMBER }), signal)
    await forgetHomes()
    const refreshes = askedFor('/_refresh')
    await index.index(incoming({ article: 1, capture: 2, fetchedAt: DECEMBER, content: 'b' }), signal)
    expect(await monthsOf(incoming({ article: 1 }).article.articleId)).toEqual(['2026.11'])
    for (const article of [2, 3]) await index.index(incoming({ article, fetchedAt: DECEMBER }), signal)
    expect([refreshes.length, changes.length]).toEqual([1, 0])
  })

  it('is the one month that was claimed first, for two processes that claim two at once', async () => {
    const met = Promise.withResolvers<void>()
    let claims = 0
    const homes = createHomeStore(redis, prefix)
    const claim: Homes['claim'] = async (articleId, month) => {
      claims += 1
      if (claims === 2) met.resolve()
      await met.promise
      return homes.claim(articleId, month)
    }
    await Promise.all([
      openIndex({ claim }).index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal),
      openIndex({ claim }).index(incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' }), signal),
    ])
    expect(await monthsOf(incoming().article.articleId)).toHaveLength(1)
    await refreshSearch(client, names)
    expect(await client.count({ index: names.all })).toMatchObject({ count: 1 })
  })

  it('is remembered when a search has found it', async () => {
    const { articleId } = incoming().article
    await openIndex().index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal)
    await forgetHomes()
    await openIndex().index(incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' }), signal)
    expect(await createHomeStore(redis, prefix).get([articleId])).toEqual(new Map([[articleId, '2026.11']]))
  })

  it('is not claimed while a partition does not answer, for the article may lie there', async () => {
    const index = openIndex()
    await index.index(incoming({ article: 1, fetchedAt: NOVEMBER }), signal)
    await client.indices.create({
      index: names.partition('2026.10'),
      aliases: { [names.all]: {} },
      settings: { 'index.routing.allocation.require._name': 'no-such-node' },
      wait_for_active_shards: 0,
    })
    const { articleId } = incoming({ article: 2 }).article
    for (const each of [index, openIndex()])
      await expect(each.index(incoming({ article: 2, fetchedAt: NOVEMBER }), signal)).rejects.toMatchObject({
        name: 'RateLimitedError',
        code: 'search-unavailable',
        message: expect.stringContaining(`the partition ${names.partition('2026.10')} does not answer, and articles may lie in it`),
      })
    expect(await createHomeStore(redis, prefix).get([articleId])).toEqual(new Map())
  })

  it('is not claimed while a partition is closed, and says how to open it; then the article is found there', async () => {
    const index = openIndex()
    await index.index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal)
    await index.index(incoming({ article: 2, fetchedAt: DECEMBER }), signal)
    const partition = names.partition('2026.11')
    await client.indices.close({ index: partition })
    await forgetHomes()
    const next = incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' })
    for (const each of [index, openIndex()])
      await expect(each.index(next, signal)).rejects.toMatchObject({
        name: 'RateLimitedError',
        code: 'search-unavailable',
        message: expect.stringContaining(
          `the partition ${partition} is closed, and articles may lie in it: open it (POST ${partition}/_open)`,
        ),
      })
    expect(await redis.keys(`${prefix.replaceAll('{', '\\{')}:home:*`)).toEqual([])
    await client.indices.open({ index: partition })
    expect(await index.index(next, signal)).toMatchObject({ outcome: 'indexed' })
    expect(await monthsOf(next.article.articleId)).toEqual(['2026.11'])
  })

  it('is not claimed where the alias over all partitions was taken off, and partitions are there', async () => {
    const index = openIndex()
    await index.index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal)
    await client.indices.deleteAlias({ index: names.partitions, name: names.all })
    await forgetHomes()
    await expect(openIndex().index(incoming({ capture: 2, fetchedAt: DECEMBER }), signal)).rejects.toMatchObject({
      code: 'search-unavailable',
      message: expect.stringMatching(/the alias test-.*-all is not.*run the set-up/),
    })
    await setUpSearch(client, { now: NOW, names })
    await openIndex().index(incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' }), signal)
    expect(await monthsOf(incoming().article.articleId)).toEqual(['2026.11'])
  })

  it('is not believed of an index that is no partition', async () => {
    const foreign = `${names.live}-foreign`
    const { articleId } = incoming().article
    await client.index({ index: foreign, id: articleId, document: { a: 1 }, refresh: true })
    await client.indices.putAlias({ index: foreign, name: names.all })
    await expect(openIndex().index(incoming({ fetchedAt: NOVEMBER }), signal)).rejects.toMatchObject({
      code: 'search-unavailable',
      message: expect.stringContaining(`the index ${foreign} carries an alias of Copydesk's and is no partition`),
    })
    await client.indices.delete({ index: foreign })
    expect(await monthsOf(articleId)).toEqual([])
  })

  it('is claimed on a fresh Elasticsearch, where nothing is set up yet', async () => {
    await dropArticles(client, names.live)
    expect(await openIndex().index(incoming({ fetchedAt: NOVEMBER }), signal)).toMatchObject({ outcome: 'indexed' })
    expect(await monthsOf(incoming().article.articleId)).toEqual(['2026.11'])
  })

  it('is the earlier month of an article that lies in two by mistake, and crowds out no other', async () => {
    const all = [1, 2, 3].map((article) => incoming({ article, capture: 2, fetchedAt: NOVEMBER }))
    const document = buildDocument(incoming({ fetchedAt: NOVEMBER }), null, NOW.getTime())
    for (const { article } of all.slice(0, 2))
      for (const month of ['2026.12', '2026.11']) await client.index({ index: names.write(month), id: article.articleId, document })
    // Its hit comes last.
    await openIndex().index(incoming({ article: 3, capture: 1, fetchedAt: DECEMBER }), signal)
    await forgetHomes()
    const index = openIndex()
    await Promise.all(all.map((each) => index.index(each, signal)))
    const homes = await createHomeStore(redis, prefix).get(all.map(({ article }) => article.articleId))
    expect([...homes.values()]).toEqual(['2026.11', '2026.11', '2026.12'])
  })

  it('is searched for behind a refresh, however often that fails first', async () => {
    await openIndex().index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal)
    await forgetHomes()
    const proxy = await startSearchProxy(({ path }) => (path.includes('/_refresh') ? { status: 500 } : 'pass'))
    const narrow = createSearchClient({ url: proxy.url })
    const index = createArticleIndex({ client: narrow, homes: createHomeStore(redis, prefix), log: silent, names })
    const next = incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' })
    for (let turn = 0; turn < 2; turn += 1) await expect(index.index(next, signal)).rejects.toMatchObject({ code: 'search-unavailable' })
    proxy.choose(() => 'pass')
    await index.index(next, signal)
    await index.index(incoming({ article: 2, capture: 3, fetchedAt: DECEMBER }), signal)
    await index.close()
    await narrow.close()
    expect(proxy.seen.filter(({ path }) => path.includes('/_refresh'))).toHaveLength(3)
    expect(await monthsOf(next.article.articleId)).toEqual(['2026.11'])
  })

  it('is searched for behind a refresh that began after the change, whatever another batch had begun before', async () => {
    const index = openIndex()
    await index.index(incoming({ article: 9, fetchedAt: NOVEMBER }), signal)
    let asked = 0
    const proxy = await startSearchProxy(({ path }) => {
      if (!path.includes('/_refresh')) return 'pass'
      asked += 1
      // The first refresh takes long; the second, of a batch that saw a change meanwhile, fails.
      if (asked === 1) return { delayMs: 1_500 }
      return asked === 2 ? { status: 500 } : 'pass'
    })
    const narrow = createSearchClient({ url: proxy.url })
    const changes = [true, true]
    const homes = { ...createHomeStore(redis, prefix), serverChanged: async () => changes.shift() ?? false }
    const other = createArticleIndex({ client: narrow, homes, log: silent, names })
    const first = other.index(incoming({ article: 1, capture: 1, fetchedAt: NOVEMBER }), signal)
    await new Promise((resolve) => setTimeout(resolve, 150))
    const second = other.index(incoming({ article: 2, capture: 2, fetchedAt: NOVEMBER }), signal)
    await expect(second).rejects.toMatchObject({ code: 'search-unavailable' })
    await first
    await other.index(incoming({ article: 3, capture: 3, fetchedAt: NOVEMBER }), signal)
    await other.close()
    await narrow.close()
    expect(asked).toBe(3)
  })
})

describe('a Redis that was killed and started again', () => {
  it('is known by its run id, and what it lost is searched for behind a refresh', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'copydesk-homes-'))
    const log = () => undefined
    const { url, port } = await ensureRedis({ folder, log })
    const own = connectRedis(url, 'worker', () => undefined)
    onTestFinished(async () => {
      own.disconnect()
      await stopLocal(folder)
      rmSync(folder, { recursive: true, force: true })
    })
    const homes = createHomeStore(own, prefix)
    const index = createArticleIndex({ client, homes, log: silent, names })
    await index.index(incoming({ capture: 1, fetchedAt: NOVEMBER }), signal)
    expect(await homes.serverChanged()).toBe(false)
    await own.flushall()
    await stopLocal(folder)
    await ensureRedis({ folder, log, port })
    const refreshes = askedFor('/_refresh')
    await index.index(incoming({ capture: 2, fetchedAt: DECEMBER, content: 'b' }), signal)
    await index.index(incoming({ article: 2, fetchedAt: DECEMBER }), signal)
    expect(refreshes).toHaveLength(1)
    expect(await monthsOf(incoming().article.articleId)).toEqual(['2026.11'])
    await index.close()
  })
})

describe('a bulk request', () => {
  it('makes no index of its own where the alias is missing', async () => {
    const alias = names.write('2031.01')
    const { article } = incoming()
    const document = buildDocument(incoming(), null, NOW.getTime())
    expect(await sendBulk(client, [{ articleId: article.articleId, alias, version: 1, document }])).toEqual([{ state: 'no-partition' }])
    expect(await client.indices.exists({ index: alias })).toBe(false)
  })

  it('has no answer that brings a refused document back', async () => {
    const answers: string[] = []
    client.diagnostic.on('response', (_, result) => answers.push(JSON.stringify(result?.body)))
    const { articleId } = incoming().article
    // As it would be written by hand: the client can't make such a document, and the server quotes it whole unless it is told not to.
    const document = '{"title":"secret title","title":"secret again"}' as never
    const results = await sendBulk(client, [{ articleId, alias: names.write('2026.11'), version: 1, document }])
    expect(results).toEqual([{ state: 'rejected', fault: { status: 400, type: 'document_parsing_exception' } }])
    expect(answers.join()).toContain('Duplicate field')
    expect(answers.join()).not.toContain('secret')
  })
})
