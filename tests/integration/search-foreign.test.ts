import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { createHomeStore } from '@copydesk/queue'
import { createArticleIndex, createNames, createSearchClient, searchHealth, setUpSearch, type SearchNames } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { incoming } from '../../packages/search/src/test-data.ts'
import { redisPart, silent } from '../support/redis.ts'
import { dropArticles, searchPart } from '../support/search.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const signal = new AbortController().signal

let client: Client
let names: SearchNames

beforeEach(() => {
  client = createSearchClient({ url: inject('elasticsearchUrl') })
  names = createNames(`test-${randomUUID().slice(0, 8)}`)
  onTestFinished(async () => {
    const indices = await client.indices.get({ index: `${names.live}*`, expand_wildcards: 'all' })
    for (const index of Object.keys(indices)) await client.indices.delete({ index })
    await dropArticles(client, names.live)
    await client.close()
  })
})

/** All that there is under the test's names. */
async function everything() {
  const indices = await client.indices.get({ index: `${names.live}*`, expand_wildcards: 'all' })
  const templates = await client.indices.existsIndexTemplate({ name: names.template })
  const components = await client.cluster.existsComponentTemplate({ name: names.mappingsComponent })
  return { indices, templates, components }
}

/** An index that somebody else made by writing into it. */
const guessed = (index: string) => client.index({ index, document: { title: 'other', articleId: 'text that was guessed', image: 'a.png' } })

const cases: [string, (names: SearchNames) => Promise<unknown>, (names: SearchNames) => string][] = [
  ['an index in place of the alias for searches', ({ live }) => guessed(live), ({ live }) => `there is an index named ${live} where`],
  ['an index in place of the alias over all', ({ all }) => guessed(all), ({ all }) => `there is an index named ${all} where`],
  [
    'an index in place of a write alias',
    (names) => guessed(names.write('2026.11')),
    (names) => `there is an index named ${names.write('2026.11')} where`,
  ],
  [
    'the alias for searches on another index',
    async ({ live }) => {
      await guessed(`${live}-shop`)
      await client.indices.putAlias({ index: `${live}-shop`, name: live })
    },
    ({ live }) => `the alias ${live} points to ${live}-shop, which is no partition`,
  ],
  [
    'a partition with guessed types',
    (names) => guessed(names.partition('2026.11')),
    (names) => `the index ${names.partition('2026.11')} has a name of Copydesk's and another mapping (at articleId)`,
  ],
  [
    'a partition of an older month with nothing of an article',
    (names) => client.indices.create({ index: names.partition('2020.01') }),
    (names) => `the index ${names.partition('2020.01')} has a name of Copydesk's and another mapping (at articleId)`,
  ],
]

describe('under Copydesk’s names', () => {
  it.each(cases)('%s is said in words, and nothing is written', async (_, make, words) => {
    await make(names)
    const before = await everything()
    await expect(setUpSearch(client, { now: NOW, names })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'search-unavailable',
      message: expect.stringContaining(words(names)),
    })
    const health = await searchHealth(client, names)
    expect(health).toEqual({ ok: false, problems: [expect.stringContaining(words(names))] })
    expect(health.problems[0]).toMatch(/choose another ARTICLES_ALIAS$/)
    expect(await everything()).toEqual(before)
  })

  it.each(cases.slice(3))('%s stops a worker that would make a partition, at no cost to the article', async (_, make) => {
    await make(names)
    const before = await everything()
    const { redis, prefix } = await redisPart()
    const index = createArticleIndex({ client, homes: createHomeStore(redis, prefix), log: silent, names })
    await expect(index.index(incoming(), signal)).rejects.toMatchObject({
      name: 'RateLimitedError',
      code: 'search-unavailable',
      message: expect.stringMatching(/^Elasticsearch can't be used now.*(choose another ARTICLES_ALIAS|run the set-up)$/),
    })
    expect(await everything()).toEqual(before)
    await index.close()
  })
})

describe('partitions of Copydesk’s own', () => {
  it('are no strangers: of an older mapping, closed, or replaced by a later layout, whose aliases they are not given back', async () => {
    const own = await searchPart(NOW)
    const older = own.names.partition('2025.01')
    const { [own.names.partition('2026.11')]: found } = await own.client.indices.getMapping({ index: own.names.partition('2026.11') })
    const { host: _host, extent: _extent, ...properties } = found!.mappings.properties!
    await own.client.indices.delete({ index: own.names.partition('2026.12') })
    await own.client.indices.deleteIndexTemplate({ name: own.names.template })
    await own.client.indices.create({ index: older, mappings: { dynamic: false, properties } })
    await own.client.indices.close({ index: older })
    const later = `${own.names.live}_v2-2026.11`
    await own.client.indices.create({ index: later, mappings: { properties: { articleId: { type: 'long' } } } })
    onTestFinished(async () => void (await own.client.indices.delete({ index: later }, { ignore: [404] })))
    const aliases = [own.names.live, own.names.all, own.names.write('2026.11')]
    await own.client.indices.updateAliases({
      actions: aliases.flatMap((alias) => [
        { remove: { index: own.names.partition('2026.11'), alias } },
        { add: { index: later, alias, ...(alias === own.names.write('2026.11') && { is_write_index: true }) } },
      ]),
    })
    await own.client.indices.open({ index: older })
    await setUpSearch(own.client, { now: NOW, names: own.names })
    const given = await own.client.indices.getAlias({ index: `${own.names.live}_v*` })
    const aliasesBy = Object.fromEntries(Object.entries(given).map(([index, each]) => [index, Object.keys(each.aliases).length]))
    expect(aliasesBy).toEqual({ [older]: 3, [own.names.partition('2026.11')]: 0, [own.names.partition('2026.12')]: 3, [later]: 3 })
  })
})

/** A server that is none that Copydesk can work with. */
async function startStranger(status: number, headers: Record<string, string>, body: object) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const stranger = createSearchClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  onTestFinished(async () => {
    await stranger.close()
    server.close()
  })
  return { stranger, asked }
}

describe('a server', () => {
  it.each([
    [
      'without the product’s header is no Elasticsearch',
      200,
      {},
      { nodes: { a: { version: '2.19.1', build_type: 'tar' } } },
      /does not call itself Elasticsearch.*ELASTICSEARCH_URL must name an Elasticsearch/,
    ],
    [
      'of version 8 does not know how it is asked',
      400,
      { 'x-elastic-product': 'Elasticsearch' },
      { error: { type: 'media_type_header_exception', reason: 'Invalid media-type value' }, status: 400 },
      /it is older than version 9: update it/,
    ],
    [
      'of version 10 is refused',
      200,
      { 'x-elastic-product': 'Elasticsearch' },
      { nodes: { a: { version: '10.0.1', build_flavor: 'default' } } },
      /Elasticsearch is version 10\.0\.1, and Copydesk needs 9\.x: take a Copydesk that was made for it/,
    ],
  ])('%s, in words', async (_, status, headers, body, words) => {
    const { stranger, asked } = await startStranger(status, headers, body)
    await expect(setUpSearch(stranger, { now: NOW, names })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'search-unavailable',
      message: expect.stringMatching(words),
    })
    expect(await searchHealth(stranger, names)).toEqual({ ok: false, problems: [expect.stringMatching(words)] })
    expect(asked.every((line) => line.startsWith('GET '))).toBe(true)
  })
})
