import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ArticleId } from '@copydesk/contracts'
import { createHomeStore } from '@copydesk/queue'
import {
  createArticleIndex,
  createNames,
  createSearchClient,
  ensurePartition,
  getArticle,
  type IncomingArticle,
  refreshSearch,
  search,
  searchHealth,
  setUpSearch,
} from '@copydesk/search'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { captureIdOf, incoming } from '../../packages/search/src/test-data.ts'
import { dropArticles } from '../support/search.ts'
import { redisPart, silent } from '../support/redis.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const signal = new AbortController().signal

let client: ReturnType<typeof createSearchClient>
let names: ReturnType<typeof createNames>

beforeEach(async () => {
  client = createSearchClient({ url: inject('elasticsearchUrl') })
  names = createNames(`test-${randomUUID().slice(0, 8)}`)
  await setUpSearch(client, { now: NOW, names })
})

afterEach(async () => {
  await dropArticles(client, names.live)
  await client.close()
})

/** An index with homes on a part of Redis of its own. */
async function openIndex() {
  const { redis, prefix } = await redisPart()
  return createArticleIndex({ client, homes: createHomeStore(redis, prefix), log: silent, names })
}

async function stored(articleId: ArticleId, month = '2026.11') {
  const { _source, _version } = await client.get<Record<string, unknown>>({ index: names.write(month), id: articleId })
  return { document: _source!, version: _version }
}

const idOf = (article: number): ArticleId => incoming({ article }).article.articleId
const at = (hour: number) => new Date(Date.UTC(2026, 10, 20, hour)).toISOString()

describe('the set-up', () => {
  it('makes this and the next month, and may be run again, by many at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => setUpSearch(client, { now: NOW, names })))
    const aliases = await client.indices.getAlias({ index: names.partitions })
    expect(aliases).toEqual(
      Object.fromEntries(
        ['2026.11', '2026.12'].map((month) => [
          names.partition(month),
          {
            aliases: {
              [names.write(month)]: { is_write_index: true },
              [names.live]: { filter: { term: { status: 'live' } } },
              [names.all]: {},
            },
          },
        ]),
      ),
    )
    expect(await searchHealth(client, names)).toEqual({ ok: true, problems: [] })
  })

  it('leaves templates of a higher version alone', async () => {
    await client.indices.putIndexTemplate({ name: names.template, index_patterns: [names.partitions], version: 99 })
    await setUpSearch(client, { now: NOW, names })
    const { index_templates: templates } = await client.indices.getIndexTemplate({ name: names.template })
    expect(templates[0]?.index_template.version).toBe(99)
  })

  it('puts aliases that were taken off back', async () => {
    await client.indices.deleteAlias({ index: names.partition('2026.11'), name: names.write('2026.11') })
    await ensurePartition(client, '2026.11', names)
    expect(await client.indices.existsAlias({ name: names.write('2026.11') })).toBe(true)
  })

  it('is missed by the health of a server without it, in words', async () => {
    const other = createNames('test-never-set-up')
    expect(await searchHealth(client, other)).toEqual({
      ok: false,
      problems: ['the alias test-never-set-up is missing: run the set-up', 'the alias test-never-set-up-all is missing: run the set-up'],
    })
  })
})

describe('indexing', () => {
  it('writes the document of an article, and a search and its id find the Article as it was', async () => {
    const index = await openIndex()
    const one = incoming({ fetchedAt: at(1) })
    expect(await index.index(one, signal)).toEqual({ outcome: 'indexed', written: true })
    const { document, version } = await stored(one.article.articleId)
    expect(version).toBe(1)
    expect(document).toMatchObject({ ...one.article, site: 'news.example', firstSeenAt: at(1), status: 'live', rev: 0 })
    await refreshSearch(client, names)
    expect(await search(client, { q: 'council' }, names)).toEqual({ total: 1, articles: [one.article] })
    expect(await getArticle(client, one.article.articleId, names)).toEqual(one.article)
    expect(await getArticle(client, incoming({ article: 2 }).article.articleId, names)).toBeNull()
    await index.close()
  })

  it('keeps one document through repeats, corrections, older captures and stubs, each with its outcome', async () => {
    const index = await openIndex()
    const outcomes = []
    for (const facts of [
      { capture: 1, fetchedAt: at(2) },
      { capture: 1, fetchedAt: at(2) },
      { capture: 2, fetchedAt: at(3) },
      { capture: 3, fetchedAt: at(1), content: 'older' },
      { capture: 4, fetchedAt: at(4), content: 'corrected' },
      { capture: 5, fetchedAt: at(5), extent: 'teaser' as const },
      { capture: 6, fetchedAt: at(6), wordCount: 10 },
      { capture: 4, rev: 1, fetchedAt: at(4), content: 'replayed' },
    ]) {
      outcomes.push((await index.index(incoming(facts), signal)).outcome)
    }
    expect(outcomes).toEqual(['indexed', 'indexed', 'unchanged', 'stale', 'indexed', 'regressed', 'regressed', 'indexed'])
    const { document, version } = await stored(incoming().article.articleId)
    expect(version).toBe(4)
    expect(document).toMatchObject({ captureId: captureIdOf(4), rev: 1, firstSeenAt: at(2), text: 'The council has voted. replayed' })
    await index.close()
  })

  it('refuses what comes for a retracted article, which no search finds', async () => {
    const index = await openIndex()
    const one = incoming()
    await index.index(one, signal)
    const { document } = await stored(one.article.articleId)
    await client.index({
      index: names.write('2026.11'),
      id: one.article.articleId,
      document: { ...document, status: 'retracted' },
      version: 2,
      version_type: 'external',
    })
    expect(await index.index(incoming({ capture: 2, fetchedAt: at(23) }), signal)).toEqual({
      outcome: 'refused',
      code: 'retracted',
      written: false,
    })
    await refreshSearch(client, names)
    expect(await getArticle(client, one.article.articleId, names)).toBeNull()
    expect((await search(client, { q: '' }, names)).total).toBe(0)
    await index.close()
  })

  it('writes captures of one article one after another when they come together, also from two processes', async () => {
    const { redis, prefix } = await redisPart()
    const indices = [0, 1].map(() => createArticleIndex({ client, homes: createHomeStore(redis, prefix), log: silent, names }))
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...Array(8).keys()], { minLength: 8 }), fc.integer({ min: 100 }), async (order, article) => {
        const captures = order.map((capture) => incoming({ article, capture, fetchedAt: at(capture), content: `${capture}` }))
        await Promise.all(captures.map((capture, turn) => indices[turn % 2]!.index(capture, signal)))
        const { document } = await stored(captures[0]!.article.articleId)
        expect(document['captureId']).toBe(captureIdOf(7))
      }),
      { numRuns: 10 },
    )
    await Promise.all(indices.map((index) => index.close()))
  })

  it('takes hundreds at once', async () => {
    const index = await openIndex()
    const all = Array.from({ length: 450 }, (_, article) => index.index(incoming({ article }), signal))
    expect(new Set((await Promise.all(all)).map(({ outcome }) => outcome))).toEqual(new Set(['indexed']))
    await refreshSearch(client, names)
    expect((await search(client, { q: '' }, names)).total).toBe(450)
    await index.close()
  })
})

describe('the home of an article', () => {
  it('is the month of the capture that was written first, for ever, and makes its partition', async () => {
    const index = await openIndex()
    await index.index(incoming({ capture: 1, fetchedAt: '2025-03-31T23:00:00Z' }), signal)
    await index.index(incoming({ capture: 2, fetchedAt: '2026-11-20T00:00:00Z', content: 'b' }), signal)
    const { document, version } = await stored(incoming().article.articleId, '2025.03')
    expect([document['captureId'], version]).toEqual([captureIdOf(2), 2])
    await refreshSearch(client, names)
    expect((await search(client, { q: '' }, names)).total).toBe(1)
    await index.close()
  })

  it('is there already when its month begins, and is made for an older month', async () => {
    const made: string[] = []
    client.diagnostic.on('request', (_, event) => {
      const { method = '', path = '' } = event?.meta.request.params ?? {}
      if (method === 'PUT') made.push(path)
    })
    const index = await openIndex()
    await index.index(incoming({ article: 1, fetchedAt: '2026-11-30T23:59:59.999Z' }), signal)
    await index.index(incoming({ article: 2, fetchedAt: '2026-12-01T00:00:00.000Z' }), signal)
    expect([await stored(idOf(1)), await stored(idOf(2), '2026.12')]).toMatchObject([{ version: 1 }, { version: 1 }])
    expect(made).toEqual([])
    await index.index(incoming({ article: 3, fetchedAt: '2026-10-31T23:59:59.999Z' }), signal)
    expect(await stored(idOf(3), '2026.10')).toMatchObject({ version: 1 })
    expect(made.filter((path) => path === `/${names.partition('2026.10')}`)).toHaveLength(1)
    // Run in December, the set-up makes January; what is there stays as it is.
    await setUpSearch(client, { now: new Date('2026-12-01T00:00:00Z'), names })
    expect(Object.keys(await client.indices.getAlias({ name: names.all })).toSorted()).toEqual(
      ['2026.10', '2026.11', '2026.12', '2027.01'].map((month) => names.partition(month)),
    )
    await index.close()
  })

  it('is found by a search when Redis has forgotten it, although nothing was refreshed since the write', async () => {
    const first = await openIndex()
    await first.index(incoming({ capture: 1, fetchedAt: '2026-11-30T23:59:00Z' }), signal)
    await first.close()
    const second = await openIndex()
    await second.index(incoming({ capture: 2, fetchedAt: '2026-12-01T00:01:00Z', content: 'b' }), signal)
    expect((await stored(incoming().article.articleId, '2026.11')).document['captureId']).toBe(captureIdOf(2))
    await refreshSearch(client, names)
    expect((await search(client, { q: '' }, names)).total).toBe(1)
    await second.close()
  })
})

describe('what goes wrong', () => {
  it('makes templates and partition anew when Elasticsearch was emptied under the worker', async () => {
    const index = await openIndex()
    const one = incoming()
    await index.index(one, signal)
    await client.indices.delete({ index: names.partition('2026.11') })
    await client.indices.deleteIndexTemplate({ name: names.template })
    expect(await index.index(incoming({ capture: 2, fetchedAt: at(1) }), signal)).toMatchObject({ outcome: 'indexed' })
    const mapping = await client.indices.getMapping({ index: names.partition('2026.11') })
    expect(mapping[names.partition('2026.11')]?.mappings).toMatchObject({ dynamic: 'false', properties: { blocks: { enabled: false } } })
    await index.close()
  })

  it('rejects for good the one document that Elasticsearch refuses, and writes its neighbours; nothing of the article is in the error', async () => {
    const index = await openIndex()
    const bad = incoming({ article: 1 }, { image: 'secret text' as never })
    const results = await Promise.allSettled([
      index.index(bad, signal),
      ...[2, 3, 4].map((article) => index.index(incoming({ article }), signal)),
    ])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
    const { reason } = results[0] as PromiseRejectedResult
    expect(reason).toMatchObject({
      name: 'PermanentError',
      code: 'search-rejected',
      message: expect.stringContaining('document_parsing_exception'),
    })
    expect(JSON.stringify({ ...reason, message: reason.message, cause: reason.cause })).not.toContain('secret')
    await index.close()
  })

  it.each([
    [
      'a write block, as on a full disk',
      (partition: string) => client.indices.addBlock({ index: partition, block: 'write' }),
      'free space',
    ],
    ['a closed partition', (partition: string) => client.indices.close({ index: partition }), '_v1-2026.11/_open'],
    [
      'a write alias that writes nowhere',
      (partition: string) =>
        client.indices.updateAliases({
          actions: [{ add: { index: partition, alias: names.write('2026.11'), is_write_index: false } }],
        }),
      'aliases',
    ],
  ])('waits without spending an attempt at %s', async (_, breakIt, cure) => {
    const index = await openIndex()
    await index.index(incoming({ article: 9 }), signal)
    await breakIt(names.partition('2026.11'))
    await expect(index.index(incoming(), signal)).rejects.toMatchObject({
      name: 'RateLimitedError',
      code: 'search-unavailable',
      message: expect.stringContaining(cure),
    })
    await index.close()
  })

  it('rejects for good a document that is larger than anything Elasticsearch takes', async () => {
    const index = await openIndex()
    const huge = incoming({}, { text: 'word '.repeat(2_200_000) })
    await expect(index.index(huge, signal)).rejects.toMatchObject({ name: 'PermanentError', code: 'search-rejected' })
    await index.close()
  })

  it('sends smaller requests through a proxy that takes no large ones, and rejects what is too large alone', async () => {
    const proxy = await startProxy(20_000)
    const narrow = createSearchClient({ url: proxy.url })
    const { redis, prefix } = await redisPart()
    const index = createArticleIndex({ client: narrow, homes: createHomeStore(redis, prefix), log: silent, names })
    const texts = [...Array.from({ length: 30 }, () => 'word '.repeat(200)), 'word '.repeat(5_000)]
    const results = await Promise.allSettled(texts.map((text, article) => index.index(incoming({ article }, { text }), signal)))
    expect(results.map(({ status }) => status)).toEqual([...texts.slice(1).map(() => 'fulfilled'), 'rejected'])
    expect(results.at(-1)).toMatchObject({ reason: { name: 'PermanentError', code: 'search-rejected' } })
    await index.close()
    await narrow.close()
    proxy.close()
  })

  it('waits without spending an attempt when nothing answers, and searches say so', async () => {
    const down = createSearchClient({ url: 'http://user:secret@127.0.0.1:9' })
    const { redis, prefix } = await redisPart()
    const index = createArticleIndex({ client: down, homes: createHomeStore(redis, prefix), log: silent, names })
    const unreachable = { code: 'search-unavailable', message: expect.stringMatching(/ECONNREFUSED.*check that it runs/) }
    await expect(index.index(incoming(), signal)).rejects.toMatchObject({ name: 'RateLimitedError', ...unreachable })
    await expect(search(down, { q: 'a' }, names)).rejects.toMatchObject({ name: 'RetryableError', ...unreachable })
    await expect(setUpSearch(down, { names })).rejects.toMatchObject(unreachable)
    expect((await searchHealth(down, names)).ok).toBe(false)
    await index.close()
    await down.close()
  })

  it('waits without spending an attempt when homes cannot be asked', async () => {
    const down = () => Promise.reject(new Error('Connection is closed.'))
    const homes = { get: down, claim: down, remember: down, serverChanged: down }
    const index = createArticleIndex({ client, homes, log: silent, names })
    await expect(index.index(incoming(), signal)).rejects.toMatchObject({
      name: 'RateLimitedError',
      message: expect.stringContaining('Redis'),
    })
    await index.close()
  })
})

/** A proxy before Elasticsearch that answers 413 to larger bodies, as many do. */
async function startProxy(maxBytes: number) {
  const target = new URL(inject('elasticsearchUrl'))
  const server = createServer((incomingRequest, response) => {
    if (Number(incomingRequest.headers['content-length'] ?? 0) > maxBytes) {
      incomingRequest.resume().on('end', () => response.writeHead(413).end())
      return
    }
    const { method, url, headers } = incomingRequest
    const passed = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incomingRequest.pipe(passed)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

describe('a search', () => {
  async function fill(articles: IncomingArticle[]) {
    const index = await openIndex()
    await Promise.all(articles.map((each) => index.index(each, signal)))
    await refreshSearch(client, names)
    await index.close()
  }

  it('takes anything for a query', async () => {
    await fill([incoming()])
    const queries = ['"', '-', '(((', 'vote~2', '"the council"~9', 'AND OR NOT', '\\', '*', 'a'.repeat(5000), '\0', '🗳 😀', 'x:y [a TO b]']
    for (const q of queries) expect([0, 1]).toContain((await search(client, { q }, names)).total)
  })

  it('wants all words, in whatever fields, and knows phrases, alternatives and exclusions', async () => {
    await fill([
      incoming({ article: 1 }, { title: 'Harbour opens', text: 'The mayor spoke of trade.' }),
      incoming({ article: 2 }, { title: 'Harbour closes', text: 'A storm came.' }),
    ])
    const titles = async (q: string) => (await search(client, { q }, names)).articles.map(({ title }) => title)
    expect(await titles('harbour mayor')).toEqual(['Harbour opens'])
    expect(await titles('"harbour closes"')).toEqual(['Harbour closes'])
    expect(await titles('"mayor harbour"')).toEqual([])
    expect(await titles('harbour -storm')).toEqual(['Harbour opens'])
    expect((await titles('mayor | storm')).length).toBe(2)
    expect(await titles('clos*')).toEqual(['Harbour closes'])
  })

  it('gives the newest first without a query, page by page, up to 100 on one', async () => {
    const { published } = incoming().article
    const day = (n: number) => new Date(Date.UTC(2026, 9, n)).toISOString()
    await fill(
      Array.from({ length: 105 }, (_, n) => incoming({ article: n }, { title: `${n}`, published: { ...published!, at: day(n % 31) } })),
    )
    const page = await search(client, { q: ' ', size: 1000 }, names)
    expect([page.total, page.articles.length]).toEqual([105, 100])
    const times = page.articles.map((article) => article.published!.at)
    expect(times).toEqual(times.toSorted((a, b) => b.localeCompare(a)))
    const rest = await search(client, { q: '', size: 100, from: 100 }, names)
    expect(new Set([...page.articles, ...rest.articles].map(({ articleId }) => articleId)).size).toBe(105)
    expect(await search(client, { q: '', size: 10, from: 9_999_999 }, names)).toEqual({ total: 105, articles: [] })
  })
})
