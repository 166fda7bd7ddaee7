import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '@copydesk/cli'
import { Article, CaptureView, IngestResponse, SearchResponse, StatusView, UrlView } from '@copydesk/contracts'
import { articleId, articleKey } from '@copydesk/url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { articlePage, articleText, newsArticle, townOf } from '../support/news-articles.ts'
import { type NewsSite, serveNews } from '../support/news-site.ts'
import { accepted, json, startTestSystem, type TestSystem } from '../support/system.ts'

const SAMPLE = join(ROOT, '../shared/samples/000_8ef769d34f6d49cd.txt')
const hasSample = existsSync(SAMPLE)
if (!hasSample) console.warn('the sample text is not at ../shared/samples: its two tests are skipped')

let site: NewsSite
let system: TestSystem
let folder: string

beforeAll(async () => {
  site = await serveNews()
  folder = await mkdtemp(join(tmpdir(), 'copydesk-e2e-files-'))
  system = await startTestSystem({ sites: [site.port] })
})
afterAll(async () => {
  await system?.end()
  await site?.close()
  await rm(folder, { recursive: true, force: true })
})

/** What `ingest --json` prints. */
const Rows = z.object({
  results: z.array(
    z.strictObject({
      input: z.string(),
      captureId: z.string().optional(),
      duplicateOf: z.string().optional(),
      outcome: z.string().optional(),
      code: z.string().optional(),
      reason: z.string().optional(),
      articleId: z.string().optional(),
    }),
  ),
})

/** The one article that the town of this number is in. */
async function found(number: number): Promise<Article> {
  const { total, articles } = await system.search(townOf(number))
  expect({ number, total }).toEqual({ number, total: 1 })
  return articles[0]!
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

test('an address goes in and its article comes out of the API, the command line and Elasticsearch itself', async () => {
  const url = `${site.origin}/article/1`
  const [view] = await system.run(url)
  const expected = newsArticle(1)
  const id = articleId(articleKey(url))
  expect(view).toMatchObject({ outcome: 'indexed', articleId: id, url })

  const article = await found(1)
  expect(article).toMatchObject({
    articleId: id,
    captureId: view?.captureId,
    url,
    canonicalUrl: url,
    urls: [url],
    title: expected.title,
    text: expected.paragraphs.join('\n\n'),
    authors: [expected.author],
    language: 'en',
    publisher: 'The Test Courier',
    extent: 'whole',
    published: { at: new Date(expected.published).toISOString(), date: expected.published.slice(0, 10), offset: '+01:00', source: 'meta' },
  })
  expect(article.blocks).toEqual(expected.paragraphs.map((text) => ({ kind: 'paragraph', text })))

  const byId = await system.ask(`/api/v1/articles/${id}`)
  expect(byId.body).toEqual(article)

  const printed = await system.cli(['search', townOf(1), '--json'])
  expect(SearchResponse.parse(printed.json())).toEqual({ total: 1, articles: [article] })
  expect(printed.code).toBe(0)

  const { hits } = await system.client.search<{ title: string }>({ index: system.alias, q: `text:${townOf(1)}` })
  expect(hits.hits.map(({ _id, _source }) => [_id, _source?.title])).toEqual([[id, expected.title]])
})

test('an HTML file, a text file, standard input and a folder go in by the command line, each waited for', async () => {
  const html = await file('page.html', articlePage(newsArticle(2), null))
  const text = await file('text.txt', articleText(newsArticle(3)))
  await mkdir(join(folder, 'many/deeper'), { recursive: true })
  await writeFile(join(folder, 'many/five.htm'), articlePage(newsArticle(5), null))
  await writeFile(join(folder, 'many/deeper/six.txt'), articleText(newsArticle(6)))
  await writeFile(join(folder, 'many/.hidden.txt'), articleText(newsArticle(7)))

  const [files, stdin] = await Promise.all([
    system.cli(['ingest', html, text, join(folder, 'many'), '--wait', '--json']),
    system.cli(['ingest', '-', '--url', 'https://courier.example/seven', '--wait', '--json'], { stdin: articleText(newsArticle(8)) }),
  ])
  expect({ code: files.code, stderr: files.stderr }).toEqual({ code: 0, stderr: '' })
  expect(
    Rows.parse(files.json())
      .results.map(({ input, outcome }) => `${input.slice(folder.length + 1)} ${outcome}`)
      .toSorted(),
  ).toEqual(['many/deeper/six.txt indexed', 'many/five.htm indexed', 'page.html indexed', 'text.txt indexed'])
  expect(stdin.code).toBe(0)

  for (const number of [2, 3, 5, 6]) {
    const article = await found(number)
    expect(article).toMatchObject({ title: newsArticle(number).title, url: null, urls: [] })
    expect(article.canonicalUrl).toMatch(/^urn:sha256:[0-9a-f]{64}$/)
    expect(article.blocks).toHaveLength(newsArticle(number).paragraphs.length)
  }
  expect(await found(8)).toMatchObject({ url: 'https://courier.example/seven', canonicalUrl: 'https://courier.example/seven' })
  expect((await system.search(townOf(7))).total).toBe(0)
})

test('bytes go in as a raw body, with their address and hints as query parameters', async () => {
  const query = 'url=https%3A%2F%2Fcourier.example%2Fnine&author=Ann%20Other&published=2026-11-02&tags=harbour,votes'
  const bare = newsArticle(10)
  const body = `<!doctype html><title>${bare.title}</title><article><h1>${bare.title}</h1>${bare.paragraphs.map((text) => `<p>${text}</p>`).join('')}</article>`
  const answer = await system.ask(`/api/v1/ingest?${query}`, { method: 'POST', headers: { 'content-type': 'text/html' }, body })
  expect(answer.status).toBe(202)
  const { results } = IngestResponse.parse(answer.body)
  expect(results).toEqual([{ url: 'https://courier.example/nine', captureId: expect.any(String) }])
  expect(await system.outcome(accepted(results[0]))).toMatchObject({ outcome: 'indexed' })
  expect(await found(10)).toMatchObject({
    authors: ['Ann Other'],
    published: { date: '2026-11-02', source: 'hint' },
    tags: ['harbour', 'votes'],
    fields: { authors: 'hint', published: 'hint', tags: 'hint' },
  })
})

test('hints of an address are used where the page is silent, and not where it speaks', async () => {
  const hints = { author: 'Ann Other', published: '2020-01-01', tags: ['harbour'] }
  const [result] = await system.ingest([{ url: `${site.origin}/article/11`, ...hints }])
  await system.outcome(accepted(result))
  expect(await found(11)).toMatchObject({ authors: [newsArticle(11).author], published: { source: 'meta' }, tags: ['harbour'] })
})

test.skipIf(!hasSample)('the sample text becomes one article with its title and 23 paragraphs, and stays one', async () => {
  const first = await system.cli(['ingest', SAMPLE, '--wait', '--json'])
  const [row] = Rows.parse(first.json()).results
  expect({ code: first.code, outcome: row?.outcome }).toEqual({ code: 0, outcome: 'indexed' })

  const search = SearchResponse.parse((await system.cli(['search', '"peace treaty"', '--json'])).json())
  expect(search.total).toBe(1)
  const article = search.articles[0]!
  const given = (await readFile(SAMPLE, 'utf8')).split(/\n\s*\n/).map((part) => part.trim())
  expect(article.title).toBe(given[1])
  expect(article.blocks).toEqual(given.slice(2, 25).map((text) => ({ kind: 'paragraph', text })))
  expect(article).toMatchObject({ articleId: row?.articleId, language: 'en', extent: 'whole' })

  const again = await system.cli(['ingest', SAMPLE, '--wait', '--json'])
  expect(Rows.parse(again.json()).results[0]).toMatchObject({ outcome: 'unchanged', articleId: row?.articleId })
  expect((await system.search('"peace treaty"')).total).toBe(1)
})

test('a page that has changed is indexed again, in the same one document', async () => {
  const url = `${site.origin}/changing/12`
  const [first] = await system.run(url)
  expect((await found(12)).text).toContain('corrected 1 times')
  const [second] = await system.run(url)
  expect([first?.outcome, second?.outcome]).toEqual(['indexed', 'indexed'])
  const article = await found(12)
  expect(article.text).toContain('corrected 2 times')
  expect(article).toMatchObject({ articleId: first?.articleId, captureId: second?.captureId })
})

test('a page that has not changed is unchanged', async () => {
  const url = `${site.origin}/article/13`
  const [first] = await system.run(url)
  const [second] = await system.run(url)
  expect([first?.outcome, second?.outcome]).toEqual(['indexed', 'unchanged'])
})

test('one address twice at once is fetched once: the second is a duplicate-run of the first', async () => {
  const url = `${site.origin}/slow/14`
  const results = await system.ingest([{ url }, { url: `${url}?utm_source=letter` }])
  const [first, second] = results.map(accepted)
  expect(results[1]).toEqual({ url: `${url}?utm_source=letter`, captureId: second, duplicateOf: first })
  expect(await system.outcome(second!)).toMatchObject({ outcome: 'duplicate-run', duplicateOf: first })
  expect(await system.outcome(first!)).toMatchObject({ outcome: 'indexed' })
  expect(site.requests('/slow/14') + site.requests('/slow/14?utm_source=letter')).toBe(1)
  expect(await found(14)).toBeDefined()
})

test('redirects and copies lead to one article that knows its addresses', async () => {
  const [direct, redirected, copy] = [`${site.origin}/article/15`, `${site.origin}/redirect/3/15`, `${site.origin}/copy/15`]
  const views = [await system.run(redirected), await system.run(copy)].flat()
  expect(new Set(views.map((view) => view.articleId))).toEqual(new Set([articleId(articleKey(direct))]))
  const article = await found(15)
  expect(article.canonicalUrl).toBe(direct)
  // What a hop in between was is no address of this article: consent pages and trackers are such hops.
  expect(article.urls.toSorted()).toEqual([direct, copy, redirected].toSorted())
})

test('a canonical link to another site is not believed', async () => {
  const url = `${site.origin}/stolen/16`
  await system.run(url)
  expect(await found(16)).toMatchObject({ canonicalUrl: url })
})

test('every content-encoding is undone, the slow and the shaky are waited for, and German stays German', async () => {
  const paths = ['/encoded/gzip/17', '/encoded/br/18', '/encoded/zstd/19', '/encoded/deflate/20', '/slow/21', '/shaky/22', '/busy/23']
  const views = await system.run(...paths.map((path) => `${site.origin}${path}`))
  expect(views.map(({ outcome, code }) => [outcome, code])).toEqual(paths.map(() => ['indexed', undefined]))
  for (const number of [17, 18, 19, 20, 21, 22, 23])
    expect(await found(number)).toMatchObject({ text: newsArticle(number).paragraphs.join('\n\n'), language: newsArticle(number).language })
  const events = (name: string) => views[paths.indexOf(name)]?.events.filter(({ event }) => event === 'put-back').map(({ code }) => code)
  expect(events('/shaky/22')).toEqual(['server-error'])
  expect(events('/busy/23')).toEqual(['rate-limited'])
})

test('a capture tells its way, by its id and by its address', async () => {
  const url = `${site.origin}/article/24`
  const [view] = await system.run(url)
  const answer = await system.ask(`/api/v1/captures/${view?.captureId}`)
  expect(answer.body).toEqual({
    captureId: view?.captureId,
    url,
    outcome: 'indexed',
    articleId: articleId(articleKey(url)),
    events: expect.any(Array),
  })
  const { events } = CaptureView.parse(answer.body)
  expect(events.map(({ event, stage, outcome }) => [event, stage, outcome].filter(Boolean).join(' '))).toEqual([
    'accepted fetch',
    'handed-over fetch',
    'handed-over clean',
    'handed-over extract-metadata',
    'ended index indexed',
  ])
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted())

  const [byId, byUrl, said] = await Promise.all([
    system.cli(['trace', view!.captureId, '--json']),
    system.cli(['trace', url, '--json']),
    system.cli(['trace', url]),
  ])
  expect(CaptureView.parse(byId.json())).toEqual(view)
  expect(UrlView.parse(byUrl.json())).toEqual({ url, articleId: view?.articleId, captures: [view] })
  expect(said.stdout).toContain(`article ${view?.articleId}`)
  expect(said.stdout).toMatch(/ended\s+index\s.*indexed/)
})

test('a capture and an address that nobody took in are unknown', async () => {
  const unknown = '0190b0a0-0000-7000-8000-000000000000'
  const [byId, byUrl] = await Promise.all([system.cli(['trace', unknown]), system.cli(['trace', 'https://courier.example/never'])])
  expect({ code: byId.code, stderr: byId.stderr }).toEqual({
    code: 2,
    stderr: `copydesk: ${unknown}: no trail of this capture is kept: it was never accepted here, or ended long ago\n`,
  })
  expect(byUrl.code).toBe(2)
  expect(byUrl.stderr).toMatch(/^copydesk: https:\/\/courier\.example\/never: nothing is known of this address.*\n$/)
  expect((await system.ask(`/api/v1/captures/${unknown}`)).problem()).toMatchObject({ status: 404, code: 'unknown-capture' })
})

test('try runs the stages on one page without any service', async () => {
  const env = { COPYDESK_URL: 'http://127.0.0.1:1', REDIS_URL: '', ELASTICSEARCH_URL: '', FETCH_ALLOW_CIDRS: `127.0.0.1/32:${site.port}` }
  const [url, text, none] = await Promise.all([
    system.cli(['try', `${site.origin}/redirect/1/25`, '--json'], { env }),
    system.cli(['try', '-'], { env, stdin: articleText(newsArticle(26)) }),
    system.cli(['try', `${site.origin}/no-article`, '--json'], { env }),
  ])
  const { article } = z.strictObject({ article: Article }).parse(url.json())
  expect({ code: url.code, title: article.title, url: article.url }).toEqual({
    code: 0,
    title: newsArticle(25).title,
    url: `${site.origin}/article/25`,
  })
  expect(text.code).toBe(0)
  expect(text.stdout).toContain(newsArticle(26).paragraphs[0])
  const Refused = z.strictObject({ refused: z.strictObject({ code: z.enum(['not-article', 'empty']), evidence: z.string().min(1) }) })
  expect(Refused.safeParse(none.json()).error).toBeUndefined()
  expect(none.code).toBe(1)
})

test('exit codes: 0 done, 1 some failed, 2 could not run', async () => {
  const good = `${site.origin}/article/27`
  const [some, help, version, noSystem, unknown] = await Promise.all([
    system.cli(['ingest', good, 'ftp://courier.example/a', `${site.origin}/status/404`, '--wait', '--json']),
    system.cli(['--help']),
    system.cli(['--version']),
    system.cli(['status'], { env: { COPYDESK_URL: 'http://127.0.0.1:1' } }),
    system.cli(['publish']),
  ])
  expect(some.code).toBe(1)
  expect(
    Rows.parse(some.json())
      .results.map(({ input, outcome, code }) => [input, outcome, code].join(' '))
      .toSorted(),
  ).toEqual([`ftp://courier.example/a  scheme`, `${good} indexed `, `${site.origin}/status/404 refused gone`])
  expect(help.code).toBe(0)
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  expect(noSystem).toMatchObject({ code: 2, stdout: '' })
  expect(noSystem.stderr).toMatch(/^copydesk: no Copydesk answers at http:\/\/127\.0\.0\.1:1: start it with \.\/copydesk up.*\n$/)
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/^copydesk: unknown command 'publish'.*\n$/) })
})

test('a batch keeps its order, bad items beside good ones', async () => {
  const items = [{ url: `${site.origin}/article/28` }, { url: 'not an address' }, { url: `${site.origin}/article/29` }]
  const answer = await system.ask('/api/v1/ingest', json({ items }))
  expect(answer.status).toBe(202)
  expect(answer.body).toMatchObject({
    results: [
      { url: items[0]?.url, captureId: expect.any(String) },
      { url: items[1]?.url, problem: { status: 400, pointer: '/items/1/url' } },
      { url: items[2]?.url, captureId: expect.any(String) },
    ],
  })
  const [first, , last] = IngestResponse.parse(answer.body).results
  await Promise.all([first, last].map(async (result) => await system.outcome(accepted(result))))
})

test('in the end every sum adds up, by the API and by the command line', async () => {
  const printed = await system.cli(['status', '--json'])
  const status = StatusView.parse(printed.json())
  expect(status).toMatchObject({ balanced: true, inFlight: 0, lag: null, waitingFor: [] })
  expect(status.accepted).toBe(Object.values(status.outcomes).reduce((sum, count) => sum + count, 0))
  expect(status.outcomes).toMatchObject({ failed: 0, 'duplicate-run': 1 })
  expect(Object.values(status.stages)).toEqual(Array.from({ length: 4 }, () => ({ waiting: 0, active: 0, delayed: 0 })))
  expect((await system.cli(['status'])).stdout).toContain('the sums add up')
})
