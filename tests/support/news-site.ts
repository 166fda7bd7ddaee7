import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as zlib from 'node:zlib'
import { articlePage, newsArticle } from './news-articles.ts'

/** A news site on loopback with every way in which the web misbehaves. */
export interface NewsSite {
  origin: string
  port: number
  /** How often a path was asked for, since the start. */
  requests(path: string): number
  close(): Promise<void>
}

const MEBIBYTE = 1024 * 1024
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const ENCODE: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
}

/** What a route is given: the article's number (or what else stands last in the path), and how often this path was asked for. */
interface Ask {
  origin: string
  path: string
  rest: string
  number: number
  times: number
}
type Route = (ask: Ask, response: ServerResponse, request: IncomingMessage) => void

/** Starts the site on a free port. Its first path segment says how it answers; the last is an article's number. */
export async function serveNews(): Promise<NewsSite> {
  const counts = new Map<string, number>()
  let origin = ''
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const times = (counts.get(path) ?? 0) + 1
    counts.set(path, times)
    const [, kind = '', ...rest] = path.split('/')
    const route = ROUTES[kind] ?? notFound
    response.on('error', () => undefined)
    route({ origin, path, rest: rest.join('/'), number: Number(rest.at(-1) ?? 0), times }, response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  origin = `http://127.0.0.1:${port}`
  return {
    origin,
    port,
    requests: (path) => counts.get(path) ?? 0,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const ROUTES: Record<string, Route> = {
  '': ({ origin }, response) => {
    const links = Array.from({ length: 40 }, (_, at) => `<li><a href="${origin}/article/${at}">${newsArticle(at).title}</a></li>`)
    response
      .writeHead(200, HTML)
      .end(`<!doctype html><html lang="en"><title>The Test Courier</title><body><ul>${links.join('')}</ul></body></html>`)
  },
  article: ({ origin, number }, response) => send(response, page(origin, number)),
  /** The same article at an address of its own, which names the article's. */
  copy: ({ origin, number }, response) => send(response, articlePage(newsArticle(number), `${origin}/article/${number}`)),
  /** Says that it belongs to another site. */
  stolen: ({ number }, response) => send(response, articlePage(newsArticle(number), 'https://www.example.com/stolen')),
  /** A further paragraph at each visit. */
  changing: ({ number, times }, response) => {
    const article = newsArticle(number)
    const paragraphs = [
      ...article.paragraphs,
      `This report has been corrected ${times} times since it was first printed, and may be again.`,
    ]
    send(response, articlePage({ ...article, paragraphs }, null))
  },
  /** `/redirect/3/7`: three hops, then article 7. */
  redirect: ({ origin, rest, number }, response) => {
    const left = Number(rest.split('/')[0])
    redirect(response, left > 1 ? `/redirect/${left - 1}/${number}` : `${origin}/article/${number}`)
  },
  endless: ({ number }, response) => redirect(response, `/endless/${number + 1}`),
  circle: ({ number }, response) => redirect(response, `/circle/${number === 0 ? 1 : 0}`),
  'to-private-literal': (_ask, response) => redirect(response, 'http://10.0.0.1/admin'),
  'to-private-name': (_ask, response) => redirect(response, 'http://metadata.internal/latest'),
  'to-credentials': ({ origin }, response) => redirect(response, `${origin.replace('//', '//reader:hunter2@')}/article/1`),
  'to-file': (_ask, response) => redirect(response, 'file:///etc/passwd'),
  encoded: ({ origin, rest, number }, response) => {
    const encoding = rest.split('/')[0] ?? ''
    const encode = ENCODE[encoding]
    if (!encode) return notFound(null, response)
    response.writeHead(200, { ...HTML, 'content-encoding': encoding }).end(encode(Buffer.from(page(origin, number))))
  },
  'truncated-gzip': ({ origin, number }, response) => {
    const bytes = zlib.gzipSync(page(origin, number))
    response.writeHead(200, { ...HTML, 'content-encoding': 'gzip' }).end(bytes.subarray(0, bytes.length / 2))
  },
  bomb: (_ask, response) => response.writeHead(200, { ...HTML, 'content-encoding': 'gzip' }).end(bomb()),
  /** In full, but over a second. */
  slow: ({ origin, number }, response) => {
    const html = page(origin, number)
    response.writeHead(200, HTML).write(html.slice(0, 500))
    setTimeout(() => response.end(html.slice(500)), 1000)
  },
  never: () => undefined,
  /** Half of what the head promises. */
  cut: ({ origin, number }, response) => {
    const bytes = Buffer.from(page(origin, number))
    response
      .writeHead(200, { ...HTML, 'content-length': bytes.length })
      .write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
  },
  /** Too much, and says so first. */
  huge: (_ask, response) => response.writeHead(200, { ...HTML, 'content-length': 11 * MEBIBYTE }).end(Buffer.alloc(11 * MEBIBYTE, ' ')),
  /** Too much, and says nothing of it. */
  'huge-chunked': (_ask, response) => {
    response.writeHead(200, HTML)
    for (let sent = 0; sent < 11; sent += 1) response.write(Buffer.alloc(MEBIBYTE, ' '))
    response.end()
  },
  status: ({ number }, response) => response.writeHead(number, HTML).end('<p>No page for you.</p>'),
  /** Asks the first visitor to come again in a second. */
  busy: ({ origin, number, times }, response) =>
    times === 1 ? response.writeHead(429, { 'retry-after': '1' }).end() : send(response, page(origin, number)),
  shaky: ({ origin, number, times }, response) => (times === 1 ? response.writeHead(500).end() : send(response, page(origin, number))),
  pdf: (_ask, response) => response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF-1.7\n'),
  json: (_ask, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"headline":"none"}'),
  /** Called a page, and is a picture. */
  picture: (_ask, response) => response.writeHead(200, HTML).end(PNG),
  'no-article': (_ask, response) =>
    send(
      response,
      '<!doctype html><html lang="en"><title>Sign in</title><body><form><input name="user"><button>Go</button></form><p>Please sign in.</p></body></html>',
    ),
  nothing: (_ask, response) => response.writeHead(200, HTML).end(),
  /** Formatting that is never closed: some thirty seconds of the parser's time, and growing with its square. */
  tangle: (_ask, response) => send(response, `<!doctype html><html><title>Tangle</title><body>${'<b>'.repeat(200_000)}</body></html>`),
}

export const PNG: Uint8Array = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
)

/** 256 MiB of blanks in some 250 KiB. */
function bomb(): Uint8Array {
  const member = zlib.gzipSync(Buffer.alloc(64 * MEBIBYTE, ' '))
  return Buffer.concat([member, member, member, member])
}

function page(origin: string, number: number): string {
  return articlePage(newsArticle(number), `${origin}/article/${number}`)
}

function send(response: ServerResponse, html: string): void {
  response.writeHead(200, HTML).end(html)
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end()
}

function notFound(_ask: unknown, response: ServerResponse): void {
  response.writeHead(404, HTML).end('<p>There is no such page.</p>')
}
