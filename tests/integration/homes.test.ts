import { randomUUID } from 'node:crypto'
import type { ArticleId } from '@copydesk/contracts'
import { createHomeStore } from '@copydesk/queue'
import { type ArticleIndex, createArticleIndex, createNames, createSearchClient, refreshSearch, setUpSearch } from '@copydesk/search'
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { sendBulk } from '../../packages/search/src/bulk.ts'
import { buildDocument } from '../../packages/search/src/document.ts'
import { incoming } from '../../packages/search/src/test-data.ts'
import { redisPart, silent } from '../support/redis.ts'
import { dropArticles } from '../support/search.ts'

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
  await redis.del(await redis.keys(`${prefix.replaceAll('{', '\\{')}:home:*`))
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
    await expect(index.index(incoming({ article: 2, fetchedAt: NOVEMBER }), signal)).rejects.toMatchObject({
      name: 'RateLimitedError',
      code: 'search-unavailable',
    })
    expect(await createHomeStore(redis, prefix).get([articleId])).toEqual(new Map())
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
