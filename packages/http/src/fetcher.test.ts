import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { FetchedPage } from '@copydesk/contracts'
import { FetchedPage as FetchedPageSchema } from '@copydesk/contracts'
import { afterEach, describe, expect, it, test } from 'vitest'
import { createFetcher, type Fetcher, type FetcherOptions, type FetchResult, type GetOptions } from './fetcher.ts'
import { createGuard, type GuardOptions } from './guard.ts'
import type { Limits } from './limits.ts'
import { userAgent } from './user-agent.ts'

const QUICK: Partial<Limits> = { totalMs: 3000, connectMs: 500, headersMs: 300, idleMs: 300 }
const NOW = Date.UTC(2026, 10, 23)

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener))

/** Answers every request with these pieces, one after another, then does what `end` says. */
function serveRaw(pieces: (string | Buffer)[], end: (socket: Socket) => void, gapMs = 20): Promise<number> {
  const server = createTcpServer((socket) => {
    undo.push(() => socket.destroy())
    socket.on('error', () => {})
    socket.once('data', () => {
      const next = (at: number): void => {
        const piece = pieces[at]
        if (piece === undefined) return end(socket)
        socket.write(piece)
        setTimeout(() => next(at + 1), gapMs)
      }
      next(0)
    })
  })
  return listen(server)
}

function fetcher(ports: number[], options: Partial<FetcherOptions> = {}, guard: Partial<GuardOptions> = {}): Fetcher {
  const allowCidrs = ports.map((port) => ({ network: '127.0.0.1', prefix: 32, family: 'ipv4' as const, port }))
  const made = createFetcher({
    guard: createGuard({ allowCidrs, ...guard }),
    userAgent: userAgent('https://example.org/bot', '0.1.0'),
    limits: QUICK,
    clock: () => NOW,
    ...options,
  })
  undo.push(() => made.close())
  return made
}

function get(port: number, path = '/', options: Partial<FetcherOptions> = {}, how: Partial<GetOptions> = {}): Promise<FetchResult> {
  return fetcher([port], options).get(`http://127.0.0.1:${port}${path}`, { signal: new AbortController().signal, ...how })
}

function pageOf(result: FetchResult): FetchedPage {
  if (result.kind !== 'page') throw new Error(`refused: ${result.code}: ${result.evidence}`)
  return FetchedPageSchema.parse(result.page)
}

describe('a fetched page', () => {
  it('has its bytes, its head and what is known of it', async () => {
    let asked: NodeJS.Dict<string | string[]> = {}
    const port = await serve((request, response) => {
      asked = request.headers
      response.writeHead(
        200,
        'Fine',
        [
          ['Content-Type', 'text/html; charset=utf-8'],
          ['ETag', '"1"'],
          ['Last-Modified', 'Mon, 23 Nov 2026 00:00:00 GMT'],
          ['X-Robots-Tag', 'noindex'],
          ['X-Robots-Tag', 'noarchive'],
        ].flat(),
      )
      response.end('<p>peace</p>')
    })
    const page = pageOf(await get(port, '/a?b=1#c', { contact: 'desk@example.org' }))
    expect(page.capture).toEqual({
      source: 'url',
      requestedUrl: `http://127.0.0.1:${port}/a?b=1#c`,
      url: `http://127.0.0.1:${port}/a?b=1`,
      chain: [],
      fetchedAt: '2026-11-23T00:00:00.000Z',
      status: 200,
      contentType: 'text/html; charset=utf-8',
      contentEncoding: [],
      robotsTag: 'noindex, noarchive',
      etag: '"1"',
      lastModified: 'Mon, 23 Nov 2026 00:00:00 GMT',
      cut: false,
      bytes: 12,
    })
    expect(page.head?.statusText).toBe('Fine')
    expect(page.head?.headers.slice(0, 2)).toEqual([
      ['Content-Type', 'text/html; charset=utf-8'],
      ['ETag', '"1"'],
    ])
    expect(Buffer.from(page.body).toString()).toBe('<p>peace</p>')
    expect(asked['user-agent']).toBe('Mozilla/5.0 (compatible; Copydesk/0.1.0; +https://example.org/bot)')
    expect(asked['accept-encoding']).toBe('gzip, br, zstd, deflate')
    expect(asked.from).toBe('desk@example.org')
  })

  it('keeps the wire bytes as they came', async () => {
    const wire = gzipSync('<p>peace</p>')
    const port = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'GZIP' }).end(wire))
    const page = pageOf(await get(port))
    expect(page.capture.contentEncoding).toEqual(['gzip'])
    expect(Buffer.from(page.body).equals(wire)).toBe(true)
  })

  it('may be empty', async () => {
    const port = await serve((_, response) => response.writeHead(204).end())
    expect(pageOf(await get(port)).capture).toMatchObject({ status: 204, bytes: 0, contentType: null })
  })

  it('has the chain of its redirects, and the address that answered', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/1') response.writeHead(301, { location: '/2#top' }).end('moved')
      else if (request.url === '/2') response.writeHead(302, { location: '/é' }).end()
      else response.end(request.url)
    })
    const page = pageOf(await get(port, '/1'))
    expect(page.capture.url).toBe(`http://127.0.0.1:${port}/%C3%A9`)
    expect(page.capture.chain).toEqual([
      { url: `http://127.0.0.1:${port}/1`, status: 301 },
      { url: `http://127.0.0.1:${port}/2`, status: 302 },
    ])
  })
})

describe('an answer that is refused', () => {
  test.each([
    [404, 'gone'],
    [410, 'gone'],
    [401, 'forbidden'],
    [403, 'forbidden'],
    [451, 'forbidden'],
    [400, 'http-status'],
    [418, 'http-status'],
    [304, 'http-status'],
    [300, 'http-status'],
    [301, 'http-status'],
  ])('for its status %i is %s', async (status, code) => {
    const port = await serve((_, response) => response.writeHead(status).end())
    expect(await get(port)).toEqual({ kind: 'refused', code, evidence: `127.0.0.1:${port} answered with status ${status}` })
  })

  test.each(['video/mp4', 'audio/mpeg', 'image/svg+xml', 'application/pdf', 'Application/ZIP; x=y'])(
    'for its type %s is not read',
    async (type) => {
      const port = await serve((_, response) => response.writeHead(200, { 'content-type': type, 'content-length': '5000000' }).write('x'))
      expect(await get(port)).toMatchObject({ kind: 'refused', code: 'unsupported-type' })
    },
  )

  it('is too large by what it says, before a byte of it is read', async () => {
    const port = await serve((_, response) => response.writeHead(200, { 'content-length': '1001' }).write('x'))
    expect(await get(port, '/', { limits: { ...QUICK, bodyBytes: 1000 } })).toMatchObject({ code: 'too-large' })
  })

  it('is too large by what it sends', async () => {
    const port = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(100_000)));
        response.once('drain', more)
      }
      more()
    })
    expect(await get(port, '/', { limits: { ...QUICK, bodyBytes: 1_000_000 } })).toMatchObject({ code: 'too-large' })
  })

  it('is as long as is allowed, and is read', async () => {
    const port = await serve((_, response) => response.end('x'.repeat(1000)))
    expect(pageOf(await get(port, '/', { limits: { ...QUICK, bodyBytes: 1000 } })).capture.bytes).toBe(1000)
  })
})

describe('redirects', () => {
  const redirecting = (to: (path: string) => string): Promise<number> =>
    serve((request, response) => response.writeHead(302, { location: to(request.url ?? '') }).end())

  it('that go round in a circle are refused at once', async () => {
    let count = 0
    const port = await redirecting((path) => (count++, path === '/1' ? '/2' : '/1'))
    expect(await get(port, '/1')).toMatchObject({ kind: 'refused', code: 'redirect-loop' })
    expect(count).toBe(2)
  })

  it('that never end are refused after the tenth', async () => {
    let count = 0
    const port = await redirecting(() => `/${++count}`)
    expect(await get(port)).toMatchObject({ kind: 'refused', code: 'redirect-loop' })
    expect(count).toBe(11)
  })

  test.each([
    ['ftp://example.org/', 'bad-url'],
    ['file:///etc/passwd', 'bad-url'],
    ['http://jo:secret@example.org/', 'bad-url'],
    ['http://[::::]/', 'bad-url'],
    ['http://10.0.0.1/', 'blocked-address'],
    ['http://[::ffff:127.0.0.1]/', 'blocked-address'],
    ['//localhost/', 'blocked-address'],
    ['http://169.254.169.254/latest/meta-data/', 'blocked-address'],
    ['http://example.org:6379/', 'blocked-address'],
  ])('to %s are refused as %s', async (location, code) => {
    const port = await redirecting(() => location)
    const result = await get(port)
    expect(result).toMatchObject({ kind: 'refused', code })
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

describe('a private address', () => {
  async function canary(): Promise<{ port: number; requests: () => number }> {
    let requests = 0
    const port = await serve((_, response) => {
      requests += 1
      response.end()
    })
    return { port, requests: () => requests }
  }
  const signal = new AbortController().signal

  it('is refused as a literal in every spelling, and nothing reaches it', async () => {
    const { port, requests } = await canary()
    const { get } = fetcher([], {}, { extraPorts: [port] })
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '017700000001',
      '①②⑦.⓪.⓪.①',
      '127.0.0.1.',
      '[::1]',
      '[::ffff:7f00:1]',
      '0',
      'localhost',
      'LOCALHOST.',
    ]) {
      expect(await get(`http://${host}:${port}/`, { signal })).toMatchObject({ kind: 'refused', code: 'blocked-address' })
    }
    expect(requests()).toBe(0)
  })

  it('is refused behind a name, also when only one of several answers is private', async () => {
    const { port, requests } = await canary()
    const answers = [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['10.1.2.3']]
    for (const addresses of answers) {
      const resolve = (): Promise<{ address: string; family: number }[]> =>
        Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
      const { get } = fetcher([], {}, { extraPorts: [port], resolve })
      expect(await get(`http://rebound.example.org:${port}/`, { signal })).toMatchObject({ kind: 'refused', code: 'blocked-address' })
    }
    expect(requests()).toBe(0)
  })

  it('is refused at the connection itself, whatever was said of it before', async () => {
    const { port, requests } = await canary()
    const guard = createGuard({ allowCidrs: [], extraPorts: [port] })
    const { get, close } = createFetcher({ guard: { ...guard, checkUrl: () => null }, userAgent: 'x', limits: QUICK })
    undo.push(close)
    expect(await get(`http://127.0.0.1:${port}/`, { signal })).toMatchObject({ kind: 'refused', code: 'blocked-address' })
    expect(requests()).toBe(0)
  })

  it('is refused by the socket’s own address when that is not the one that was checked', async () => {
    const { port, requests } = await canary()
    let reads = 0
    const changing = {
      family: 4,
      get address() {
        return reads++ === 0 ? '93.184.216.34' : '127.0.0.1'
      },
    }
    const { get } = fetcher([], {}, { extraPorts: [port], resolve: () => Promise.resolve([changing]) })
    expect(await get(`http://rebound.example.org:${port}/`, { signal })).toEqual({
      kind: 'refused',
      code: 'blocked-address',
      evidence: 'rebound.example.org leads to the private or special address 127.0.0.1',
    })
    expect(reads).toBeGreaterThan(1)
    expect(requests()).toBe(0)
  })

  it('is refused behind a redirect to another port of an allowed host', async () => {
    const { port, requests } = await canary()
    const front = await serve((_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end())
    expect(await get(front)).toMatchObject({ kind: 'refused', code: 'blocked-address' })
    expect(requests()).toBe(0)
  })

  it('is reached by a name of its own where the operator allowed it', async () => {
    const { port, requests } = await canary()
    const resolve = (): Promise<{ address: string; family: number }[]> => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    const { get } = fetcher([port], {}, { resolve })
    pageOf(await get(`http://demo-site:${port}/`, { signal }))
    pageOf(await get(`http://news.example.org:${port}/`, { signal }))
    expect(requests()).toBe(2)
  })
})

describe('a fault of the other side', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n'

  it('is a retryable time-out when it never answers', async () => {
    const port = await serveRaw([], () => {})
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code: 'timeout' })
  })

  it('is a retryable time-out when its head drips in', async () => {
    const port = await serveRaw([HEAD, ...Array.from({ length: 40 }, (_, at) => `X-${at}: 1\r\n`)], (socket) => socket.end('\r\n'), 50)
    await expect(get(port, '/', { limits: { ...QUICK, totalMs: 900 } })).rejects.toMatchObject({ name: 'RetryableError', code: 'timeout' })
  })

  it('is a retryable time-out when its body falls silent', async () => {
    const port = await serveRaw([`${HEAD}Content-Length: 10\r\n\r\nabc`], () => {})
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code: 'timeout' })
  })

  it('is a retryable time-out when its body drips in longer than a fetch may last', async () => {
    const port = await serveRaw([`${HEAD}Content-Length: 100\r\n\r\n`, ...Array.from('abcdefghijklmnopqrstuvwxyz')], () => {}, 50)
    await expect(get(port, '/', { limits: { ...QUICK, totalMs: 600 } })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/within 600 ms/),
    })
  })

  it('is a retryable reset when it hangs up without an answer', async () => {
    const port = await serveRaw([], (socket) => socket.destroy())
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code: 'reset' })
  })

  it('is cut short when it resets half way', async () => {
    const port = await serveRaw([`${HEAD}Content-Length: 1000\r\n\r\n${'x'.repeat(500)}`], (socket) => socket.resetAndDestroy())
    await expect(get(port)).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'cut-short',
      message: expect.stringMatching(/after 500 of 1000 bytes/),
    })
  })

  it('is cut short when it ends half way, chunked or by length', async () => {
    const byLength = await serveRaw([`${HEAD}Content-Length: 1000\r\n\r\n${'x'.repeat(900)}`], (socket) => socket.end())
    await expect(get(byLength)).rejects.toMatchObject({ code: 'cut-short' })
    const chunked = await serveRaw([`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`], (socket) => socket.end())
    await expect(get(chunked)).rejects.toMatchObject({ code: 'cut-short' })
  })

  it('is forgiven when nearly all of it came, and the page says that it was cut', async () => {
    const port = await serveRaw([`${HEAD}Content-Length: 1000\r\n\r\n${'x'.repeat(950)}`], (socket) => socket.end())
    expect(pageOf(await get(port)).capture).toMatchObject({ cut: true, bytes: 950 })
  })

  it('is forgiven when a page without length was broken off after its end', async () => {
    const port = await serveRaw([`${HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\n<p>peace</html>\n\r\n`], (socket) =>
      socket.resetAndDestroy(),
    )
    expect(pageOf(await get(port)).capture).toMatchObject({ cut: true, bytes: 16 })
  })

  it('goes unseen when it sends more than it said', async () => {
    const port = await serveRaw([`${HEAD}Content-Length: 5\r\n\r\nhelloworld`], (socket) => socket.end())
    expect(pageOf(await get(port)).capture).toMatchObject({ bytes: 5, cut: false })
  })

  it('is retryable when it does not speak HTTP', async () => {
    const port = await serveRaw(['220 mail.example.org ESMTP\r\n'], (socket) => socket.end())
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code: 'bad-response' })
  })

  it('is permanent when its head is a bomb, by size or by count', async () => {
    const large = await serveRaw([`${HEAD}X-Bomb: ${'x'.repeat(20_000)}\r\n\r\n`], (socket) => socket.end())
    await expect(get(large)).rejects.toMatchObject({ name: 'PermanentError', code: 'bad-response' })
    const many = await serve((_, response) => {
      for (let at = 0; at < 120; at += 1) response.setHeader(`x-${at}`, '1')
      response.end()
    })
    await expect(get(many)).rejects.toMatchObject({ name: 'PermanentError', code: 'bad-response' })
  })

  it('is permanent when the body is encoded thrice', async () => {
    const port = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip, br, gzip' }).end('x'))
    await expect(get(port)).rejects.toMatchObject({ name: 'PermanentError', code: 'bad-response' })
  })

  it('is permanent when there is no TLS where https was asked for', async () => {
    const port = await serve((_, response) => response.end())
    await expect(fetcher([port]).get(`https://127.0.0.1:${port}/`, { signal: new AbortController().signal })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'tls',
    })
  })

  it('is retryable when nothing listens, and when the name is not found', async () => {
    const server = createTcpServer()
    const port = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code: 'connect' })
    const resolve = (): Promise<never> => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }))
    const { get: ask } = fetcher([], {}, { resolve })
    await expect(ask('http://nowhere.example.org/', { signal: new AbortController().signal })).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'dns',
    })
    const { get: askEmpty } = fetcher([], {}, { resolve: () => Promise.resolve([]) })
    await expect(askEmpty('http://nowhere.example.org/', { signal: new AbortController().signal })).rejects.toMatchObject({ code: 'dns' })
  })

  test.each([
    [500, 'server-error'],
    [502, 'server-error'],
    [503, 'server-error'],
    [504, 'server-error'],
    [522, 'server-error'],
    [408, 'timeout'],
    [425, 'server-error'],
  ])('is retryable with status %i', async (status, code) => {
    const port = await serve((_, response) => response.writeHead(status).end())
    await expect(get(port)).rejects.toMatchObject({ name: 'RetryableError', code })
  })
})

describe('waiting', () => {
  test.each([
    [429, '120', 120_000],
    [429, undefined, 30_000],
    [429, 'soon', 30_000],
    [503, '7', 7000],
    [503, 'Mon, 23 Nov 2026 00:02:00 GMT', 120_000],
    [429, '999999', 3_600_000],
  ])('is asked for with status %i and Retry-After %s', async (status, after, ms) => {
    const port = await serve((_, response) => response.writeHead(status, after === undefined ? {} : { 'retry-after': after }).end())
    await expect(get(port)).rejects.toMatchObject({ name: 'RateLimitedError', code: 'rate-limited', ms })
  })

  it('goes on at the hop that asked for it, with the chain so far', async () => {
    const asked: string[] = []
    const port = await serve((request, response) => {
      asked.push(request.url ?? '')
      if (request.url === '/1') response.writeHead(302, { location: '/2' }).end()
      else if (asked.length === 2) response.writeHead(429).end()
      else response.end('peace')
    })
    const at = { url: `http://127.0.0.1:${port}/2`, chain: [{ url: `http://127.0.0.1:${port}/1`, status: 302 }] }
    await expect(get(port, '/1')).rejects.toMatchObject({ resume: at })
    const page = pageOf(await get(port, '/1', {}, { resume: at }))
    expect(page.capture).toMatchObject({ requestedUrl: `http://127.0.0.1:${port}/1`, ...at })
    expect(asked).toEqual(['/1', '/2', '/2'])
  })

  it('for a host’s turn and robots.txt come before each hop', async () => {
    const asked: string[] = []
    const port = await serve((request, response) => {
      asked.push(`GET ${request.url}`)
      response.writeHead(302, { location: '/2' }).end()
    })
    const robots = { allows: (url: string) => Promise.resolve(asked.push(`robots ${new URL(url).pathname}`) > 0) }
    const slots = { take: (url: string) => Promise.resolve(url.endsWith('/2') ? 500 : 0) }
    await expect(get(port, '/1', { robots, slots })).rejects.toMatchObject({
      name: 'RateLimitedError',
      ms: 500,
      resume: { url: `http://127.0.0.1:${port}/2` },
    })
    expect(asked).toEqual(['robots /1', 'GET /1', 'robots /2'])
    expect(await get(port, '/1', { robots: { allows: () => Promise.resolve(false) } })).toMatchObject({ kind: 'refused', code: 'robots' })
  })

  it('ends with the reason of the signal when that is aborted', async () => {
    const port = await serveRaw([], () => {})
    const controller = new AbortController()
    const reason = new Error('shutting down')
    setTimeout(() => controller.abort(reason), 50)
    await expect(get(port, '/', {}, { signal: controller.signal })).rejects.toBe(reason)
  })
})
