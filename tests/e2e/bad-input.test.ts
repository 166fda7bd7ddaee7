import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { IngestResponse } from '@copydesk/contracts'
import { request } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MAIN } from '../support/cli.ts'
import { articlePage, newsArticle } from '../support/news-articles.ts'
import { type NewsSite, PNG, serveNews } from '../support/news-site.ts'
import { accepted, json, startTestSystem, type TestSystem } from '../support/system.ts'

const MEBIBYTE = 1024 * 1024
/** Stands in every address with a password; must stand in no answer, no log line and no message. */
const PASSWORD = 'hunter2'
const NOBODY = 65_534

let site: NewsSite
let system: TestSystem
let folder: string
/** Listens where nothing may be fetched from, and counts who comes all the same. */
let canary: { server: Server; port: number; visits: number }
let pids: (number | null)[]
let good = 500
/** What takes long is begun first: captureIds by path. */
const begun = new Map<string, string>()

beforeAll(async () => {
  site = await serveNews()
  canary = await listen()
  folder = await mkdtemp(join(tmpdir(), 'copydesk-e2e-bad-'))
  system = await startTestSystem({
    sites: [site.port],
    env: {
      // The canary's port is allowed, on an address that is not the canary's: a name gets past intake, and must not get further.
      FETCH_ALLOW_CIDRS: `127.0.0.1/32:${site.port}, 192.0.2.1/32:${canary.port}`,
      RETRY_ATTEMPTS: '2',
      PARSER_DEADLINE_MS: '3000',
    },
  })
  pids = system.processes().map(({ pid }) => pid)
  const slow = ['/never/1', '/tangle/1']
  const results = await system.ingest(slow.map((path) => ({ url: site.origin + path })))
  results.forEach((result, at) => begun.set(slow[at] ?? '', accepted(result)))
})
afterAll(async () => {
  await system?.end()
  canary?.server.close()
  await site?.close()
  await rm(folder, { recursive: true, force: true })
})

afterEach(async () => await goesOn())

/** After whatever came before: the sums add up, and a good article goes through. */
async function goesOn(): Promise<void> {
  good += 1
  const [view] = await system.run(`${site.origin}/article/${good}`)
  expect(view?.outcome).toBe('indexed')
  expect(await system.status()).toMatchObject({ balanced: true, waitingFor: [] })
}

async function listen(): Promise<typeof canary> {
  const counted = { visits: 0 }
  const server = createServer((_request, response) => {
    counted.visits += 1
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(counted, { server, port: (server.address() as AddressInfo).port })
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

/** Runs a command that must say one line on standard error, and nothing else. */
async function refusal(args: string[], options: Parameters<TestSystem['cli']>[1] = {}): Promise<{ code: number | null; line: string }> {
  const { code, stdout, stderr } = await system.cli(args, options)
  expect({ args, stdout, lines: stderr.split('\n').length, password: stderr.includes(PASSWORD) }).toEqual({
    args,
    stdout: '',
    lines: 2,
    password: false,
  })
  expect(stderr).toMatch(/^copydesk: /)
  return { code, line: stderr.trim() }
}

describe('an address that is not taken', () => {
  const other = () => canary.port
  const cases: [what: string, url: () => string, status: number, code: string, detail: RegExp][] = [
    ['no URL at all', () => 'the harbour news', 400, 'not-a-url', /write it with https:\/\//],
    ['a host without its scheme', () => 'courier.example/a', 400, 'not-a-url', /write it with https:\/\//],
    ['a broken URL', () => 'https://courier example/a', 400, 'not-a-url', /not a valid URL/],
    ['a URL without a host', () => 'https:///a', 400, 'no-host', /names no host/],
    ['ftp', () => 'ftp://courier.example/a', 400, 'scheme', /neither http nor https/],
    ['a file', () => 'file:///etc/passwd', 400, 'scheme', /neither http nor https/],
    ['a script', () => 'javascript:alert(1)', 400, 'scheme', /neither http nor https/],
    ['data', () => 'data:text/html,hello', 400, 'scheme', /neither http nor https/],
    ['a password', () => `https://reader:${PASSWORD}@courier.example/a`, 400, 'userinfo', /remove everything before the @/],
    ['a password under another scheme', () => `ftp://reader:${PASSWORD}@courier.example/a`, 400, 'scheme', /neither http nor https/],
    ['a private address', () => 'http://10.0.0.1/a', 422, 'blocked-address', /10\.0\.0\.1 is a private or special address/],
    ['the own machine', () => `http://127.0.0.1:${other()}/a`, 422, 'blocked-address', /127\.0\.0\.1 is a private/],
    ['the own machine in disguise', () => `http://0x7f.1:${other()}/a`, 422, 'blocked-address', /127\.0\.0\.1 is a private/],
    ['the own machine in IPv6', () => 'http://[::1]/a', 422, 'blocked-address', /::1 is a private/],
    ['the metadata service', () => 'http://169.254.169.254/latest', 422, 'blocked-address', /is a private or special address/],
    ['the own machine by name', () => 'http://localhost/a', 422, 'blocked-address', /localhost is a name of a private network/],
    ['a name of one word', () => 'http://intranet/a', 422, 'blocked-address', /intranet is a name of a private network/],
    ['an internal name', () => 'http://metadata.internal/a', 422, 'blocked-address', /is a name of a private network/],
    ['an unusual port', () => 'https://courier.example:6379/a', 422, 'blocked-address', /port 6379/],
  ]

  test.each(cases)('%s: the API says so and points to it', async (_what, url, status, code, detail) => {
    const answer = await system.ask('/api/v1/ingest', json({ items: [{ url: url() }] }))
    expect(answer.status).toBe(status)
    expect(answer.problem()).toMatchObject({ status, code, pointer: '/items/0/url', detail: expect.stringMatching(detail) })
    expect(answer.body).toMatchObject({ results: [{ problem: { code } }] })
    expect(JSON.stringify(answer.body)).not.toContain(PASSWORD)
  })

  test('the command line says each in a line of its own, and that it could not run', async () => {
    const urls = cases.map(([, url]) => url()).filter((url) => url.includes(':'))
    const { code, stdout, stderr } = await system.cli(['ingest', ...urls])
    expect(code).toBe(2)
    expect(stdout).toBe(`${urls.length} not taken in\n`)
    expect(stderr).not.toContain(PASSWORD)
    expect(stderr.trim().split('\n')).toEqual(urls.map(() => expect.stringMatching(/^copydesk: \S.*: \S/)))
  })

  test('alone on the command line, too; and trace and try refuse the same', async () => {
    expect(await refusal(['ingest', `https://reader:${PASSWORD}@courier.example/a`])).toMatchObject({
      code: 2,
      line: expect.stringContaining('before the @'),
    })
    expect(await refusal(['trace', `https://reader:${PASSWORD}@courier.example/a`])).toMatchObject({
      code: 2,
      line: expect.stringContaining('before the @'),
    })
    expect(await refusal(['try', `https://reader:${PASSWORD}@courier.example/a`])).toMatchObject({
      code: 2,
      line: expect.stringContaining('before the @'),
    })
    expect(await refusal(['try', 'http://10.0.0.1/a'])).toMatchObject({
      code: 1,
      line: expect.stringContaining('refused (blocked-address)'),
    })
    expect(await refusal(['ingest', 'courier.example/a'])).toMatchObject({ code: 2, line: expect.stringContaining('begins with https://') })
  })

  test('one that is longer than any real one', async () => {
    const answer = await system.ask('/api/v1/ingest', json({ items: [{ url: `https://courier.example/${'a'.repeat(5000)}` }] }))
    expect(answer.problem()).toMatchObject({ status: 400, pointer: '/items/0/url', detail: expect.stringContaining('4096') })
  })

  test('a name that leads to an address which is not allowed gets no further than DNS', async () => {
    const [view] = await system.run(`http://localhost:${canary.port}/a`)
    expect(view).toMatchObject({
      outcome: 'refused',
      code: 'blocked-address',
      reason: expect.stringMatching(/^localhost leads to (127\.0\.0\.1|::1), which is not among/),
    })
  })

  test('in all of it nobody came to what was not to be reached', () => {
    expect(canary.visits).toBe(0)
  })
})

describe('an answer in which there is no article to be had', () => {
  test.each([
    ['a redirect to a private address', '/to-private-literal', 'blocked-address', /10\.0\.0\.1 is a private/],
    ['a redirect to a private name', '/to-private-name', 'blocked-address', /metadata\.internal is a name of a private network/],
    ['a redirect to a URL with a password', '/to-credentials', 'bad-url', /user name or password/],
    ['a redirect to a file', '/to-file', 'bad-url', /neither http nor https/],
    ['an endless redirect', '/endless/0', 'redirect-loop', /redirects once more after 10 times/],
    ['a redirect in a circle', '/circle/0', 'redirect-loop', /back to an address of the same chain/],
    ['a page over the size limit', '/huge', 'too-large', /more than the 10485760 bytes/],
    ['a page over the size limit that keeps it quiet', '/huge-chunked', 'too-large', /more than the 10485760 bytes/],
    ['a decompression bomb', '/bomb', 'too-large', /bytes on the wire grow past 20971520 bytes/],
    ['a truncated gzip body', '/truncated-gzip/30', 'truncated', /ends early/],
    ['HTML with no article in it', '/no-article', 'not-article', /./],
    ['an empty page', '/nothing', 'empty', /no bytes/],
    ['a picture that is called a page', '/picture', 'unsupported-type', /the bytes are .*PNG/],
    ['a PDF', '/pdf', 'unsupported-type', /application\/pdf/],
    ['JSON', '/json', 'unsupported-type', /application\/json/],
    ['a page that is not there', '/status/404', 'gone', /status 404/],
    ['a page that is gone', '/status/410', 'gone', /status 410/],
    ['a page that is forbidden', '/status/403', 'forbidden', /status 403/],
    ['a status that nobody knows', '/status/418', 'http-status', /status 418/],
  ])('%s is refused', async (_what, path, code, reason) => {
    const [view] = await system.run(site.origin + path)
    expect(view).toMatchObject({ outcome: 'refused', code, reason: expect.stringMatching(reason) })
    expect(JSON.stringify(view)).not.toContain(PASSWORD)
  })

  test('the command line says so in one line, and that some failed', async () => {
    const url = `${site.origin}/endless/1`
    const { code, line } = await refusal(['ingest', url, '--wait'])
    expect({ code, line }).toEqual({
      code: 1,
      line: expect.stringMatching(/^copydesk: .*\/endless\/1: refused \(redirect-loop\): .*redirects once more/),
    })
  })

  test('a body that breaks off is tried again, and then a dead letter', async () => {
    const [view] = await system.run(`${site.origin}/cut/31`)
    expect(view).toMatchObject({
      outcome: 'failed',
      code: 'cut-short',
      stage: 'fetch',
      reason: expect.stringMatching(/broke off after \d+ of \d+ bytes/),
    })
    expect(site.requests('/cut/31')).toBe(2)
  })

  test('a page on which the parser never ends is a dead letter after its second child', async () => {
    const view = await system.outcome(begun.get('/tangle/1')!)
    expect(view).toMatchObject({
      outcome: 'failed',
      code: 'parser-timeout',
      stage: 'clean',
      reason: expect.stringMatching(/more than 3000 ms/),
    })
    expect(view.events.filter(({ event }) => event === 'died')).toHaveLength(2)
  })
})

describe('a file that is not taken', () => {
  test('one that is not there', async () => {
    const { code, line } = await refusal(['ingest', join(folder, 'missing.html')])
    expect({ code, line }).toEqual({ code: 2, line: expect.stringMatching(/missing\.html: there is no such file or folder$/) })
  })

  test.skipIf(!canBeNobody())('one that this user may not read (skipped where the tests can be no other user)', async () => {
    const path = await file('secret.html', articlePage(newsArticle(32), null))
    await chmod(folder, 0o755)
    await chmod(path, 0o600)
    const { code, line } = await refusal(['ingest', path], { uid: NOBODY, cwd: '/', env: { NODE_COMPILE_CACHE: '' } })
    expect({ code, line }).toEqual({
      code: 2,
      line: expect.stringMatching(/secret\.html: it may not be read by this user: change its permissions$/),
    })
  })

  test('an empty one', async () => {
    const { code, line } = await refusal(['ingest', await file('empty.html', '')])
    expect({ code, line }).toEqual({ code: 2, line: expect.stringMatching(/empty\.html: it is empty: there is nothing to take in$/) })
    const answer = await system.ask('/api/v1/ingest', { method: 'POST', headers: { 'content-type': 'text/html' }, body: '' })
    expect(answer.problem()).toMatchObject({ status: 400, code: 'empty', pointer: '', detail: expect.stringContaining('empty') })
  })

  test('a binary one', async () => {
    const { code, line } = await refusal(['ingest', await file('picture.html', PNG)])
    expect({ code, line }).toEqual({ code: 2, line: expect.stringMatching(/picture\.html: the body is .*PNG.*, not HTML or text$/) })
    const answer = await system.ask('/api/v1/ingest', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: gzipSync('text'),
    })
    expect(answer.problem()).toMatchObject({ status: 415, code: 'unsupported-type', pointer: '' })
  })

  test('one with no article in it', async () => {
    const path = await file('form.html', '<!doctype html><title>Sign in</title><form><input name="user"></form><p>Please sign in.</p>')
    const { code, line } = await refusal(['ingest', path, '--wait'])
    expect({ code, line }).toEqual({ code: 1, line: expect.stringMatching(/form\.html: refused \(not-article\): \S/) })
  })

  test('one over the size limit', async () => {
    const bytes = Buffer.alloc(10 * MEBIBYTE + 1, '<p>words and words</p>\n')
    const { code, line } = await refusal(['ingest', await file('huge.html', bytes)])
    expect({ code, line }).toEqual({ code: 2, line: expect.stringMatching(/huge\.html: .*10 MiB/) })
    // Of known and of unknown length; whoever is still sending has to get to the answer.
    for (const body of [bytes, Readable.from([bytes])]) {
      const answer = await request(`${system.api}/api/v1/ingest`, { method: 'POST', headers: { 'content-type': 'text/html' }, body })
      expect(answer.statusCode).toBe(413)
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      const problem = { status: 413, code: 'body-too-large', pointer: '', detail: expect.stringContaining('10 MiB') }
      expect(await answer.body.json()).toMatchObject(problem)
    }
  })

  test('one just under the size limit is taken', async () => {
    const page = articlePage(newsArticle(33), null)
    const path = await file('large.html', page.replace('</body>', `<!-- ${'x'.repeat(10 * MEBIBYTE - page.length - 100)} --></body>`))
    expect(await system.cli(['ingest', path, '--wait'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('an empty folder, and an address for two files', async () => {
    const empty = await mkdtemp(join(folder, 'empty-'))
    expect(await refusal(['ingest', empty])).toMatchObject({ code: 2, line: expect.stringContaining('nothing to take in') })
    const two = [await file('one.html', 'x'), await file('two.html', 'y')]
    expect(await refusal(['ingest', ...two, '--url', 'https://courier.example/a'])).toMatchObject({
      code: 2,
      line: expect.stringContaining('--url'),
    })
    expect(await refusal(['ingest', two[0]!, '--url', `https://reader:${PASSWORD}@courier.example/a`])).toMatchObject({
      code: 2,
      line: expect.stringContaining('before the @'),
    })
    expect(await refusal(['try', empty])).toMatchObject({ code: 2 })
    expect(await refusal(['try', join(folder, 'missing.html')])).toMatchObject({ code: 2, line: expect.stringContaining('no such file') })
  })
})

describe('what the API does not take', () => {
  const item = { url: 'https://courier.example/a' }
  const post = (body: string, type = 'application/json'): RequestInit => ({ method: 'POST', headers: { 'content-type': type }, body })

  test.each<[what: string, init: RequestInit, status: number, pointer: string, detail: RegExp]>([
    ['half a JSON text', post('{"items": ['), 400, '', /JSON/],
    ['no body', post(''), 400, '', /JSON|empty/],
    ['a list', post('[]'), 400, '', /object/],
    ['a word', post('"https://courier.example/a"'), 400, '', /object/],
    ['null', post('null'), 400, '', /object/],
    ['no items', post('{}'), 400, '/items', /array/],
    ['items of another kind', post('{"items": "https://courier.example/a"}'), 400, '/items', /array/],
    ['an empty list of items', post('{"items": []}'), 400, '/items', /at least 1/],
    ['too many items', json({ items: Array.from({ length: 1001 }, () => item) }), 400, '/items', /1000/],
    ['a field beside items', json({ items: [item], urls: [] }), 400, '/urls', /urls/],
    ['an item that is an address', json({ items: [item.url] }), 400, '/items/0', /object/],
    ['an item without its address', json({ items: [{ title: 'A' }] }), 400, '/items/0/url', /string/],
    ['an address that is a number', json({ items: [{ url: 5 }] }), 400, '/items/0/url', /string/],
    ['an empty address', json({ items: [{ url: '' }] }), 400, '/items/0/url', /./],
    ['an unknown field of an item', json({ items: [{ ...item, 'au/thor': 'A' }] }), 400, '/items/0/au~1thor', /not a field/],
    ['tags that are no list', json({ items: [{ ...item, tags: 'a,b' }] }), 400, '/items/0/tags', /array/],
    ['a tag that is a number', json({ items: [{ ...item, tags: ['a', 5] }] }), 400, '/items/0/tags/1', /string/],
    ['a poisoned prototype', post('{"items": [{"url": "https://courier.example/a", "__proto__": {"a": 1}}]}'), 400, '', /./],
    ['more than 1 MiB of JSON', json({ items: [{ ...item, title: 'x'.repeat(MEBIBYTE) }] }), 413, '', /1 MiB/],
  ])('%s', async (_what, init, status, pointer, detail) => {
    const answer = await system.ask('/api/v1/ingest', init)
    expect(answer.problem()).toMatchObject({
      status,
      pointer,
      detail: expect.stringMatching(detail),
      title: expect.any(String),
      code: expect.any(String),
    })
    expect(answer.status).toBe(status)
  })

  test.each<[path: string, init: RequestInit, status: number, pointer: string | undefined]>([
    ['/api/v1/ingest?url=nothing', post('<p>text', 'text/html'), 400, '/url'],
    ['/api/v1/ingest?tags=a&tags=b&author=A&author=B', post('<p>text', 'text/html'), 400, '/author'],
    ['/api/v1/search?size=0', {}, 400, '/size'],
    ['/api/v1/search?size=many', {}, 400, '/size'],
    ['/api/v1/search?from=9999&size=100', {}, 400, '/from'],
    [`/api/v1/search?q=${'a'.repeat(600)}`, {}, 400, '/q'],
    ['/api/v1/captures/1', {}, 400, '/id'],
    ['/api/v1/articles/..%2f_search', {}, 400, '/id'],
    ['/api/v1/urls', {}, 400, '/url'],
    ['/api/v1/urls?url=ftp%3A%2F%2Fcourier.example', {}, 400, '/url'],
    ['/api/v1/ingest', {}, 404, undefined],
    ['/api/v1/everything', {}, 404, undefined],
    ['/api/v1/articles/aaaaaaaaaaaaaaaaaaaaaa', {}, 404, undefined],
  ])('%s', async (path, init, status, pointer) => {
    const answer = await system.ask(path, init)
    expect(answer.problem()).toMatchObject({ status, ...(pointer !== undefined && { pointer }) })
    expect(answer.status).toBe(status)
  })

  test('a request under a foreign name', async () => {
    const answer = await request(`${system.api}/api/v1/status`, { headers: { host: 'rebound.example' } })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([403, expect.stringMatching(/^application\/problem\+json/)])
    expect(await answer.body.json()).toMatchObject({ code: 'foreign-host', detail: expect.stringContaining('127.0.0.1') })
  })

  test('a search of whatever words is never an error', async () => {
    for (const q of ['"unclosed', '((', 'a AND', '*', '\\', 'title:x', '~~', '\u0000', '-', '|'])
      expect({ q, status: (await system.ask(`/api/v1/search?${new URLSearchParams({ q }).toString()}`)).status }).toEqual({
        q,
        status: 200,
      })
  })

  test('the command line passes on what the API says of its options', async () => {
    expect(await refusal(['search', 'harbour', '--size', '1000'])).toMatchObject({ code: 2, line: expect.stringContaining('size') })
    expect(await refusal(['ingest', '--publish', 'x'])).toMatchObject({ code: 2, line: expect.stringContaining("'--publish'") })
    expect(await refusal(['ingest'])).toMatchObject({ code: 2, line: expect.stringContaining('input') })
  })
})

test('a server that never answers is tried again, and then a dead letter', { timeout: 60_000 }, async () => {
  const view = await system.outcome(begun.get('/never/1')!)
  expect(view).toMatchObject({
    outcome: 'failed',
    code: 'timeout',
    stage: 'fetch',
    reason: expect.stringMatching(/did not answer in time/),
  })
  expect(view.events.map(({ event, code }) => [event, code])).toEqual([
    ['accepted', undefined],
    ['put-back', 'timeout'],
    ['ended', 'timeout'],
  ])
})

test('after all of it everything has its outcome, and every process is the one that it was', async () => {
  const status = await system.status()
  expect(status).toMatchObject({ balanced: true, inFlight: 0, outcomes: { failed: 3 } })
  expect(system.processes().map(({ pid }) => pid)).toEqual(pids)
  expect(system.notices).toEqual([])
  const { results } = IngestResponse.parse({ results: await system.ingest([{ url: `${site.origin}/article/34` }]) })
  expect(await system.outcome(accepted(results[0]))).toMatchObject({ outcome: 'indexed' })
})

/** Whether the command line can be run as a user who is not root, whom every file is open to. */
function canBeNobody(): boolean {
  if (process.getuid?.() !== 0) return false
  return spawnSync(process.execPath, [MAIN, '--version'], { uid: NOBODY, cwd: '/', env: {} }).status === 0
}
