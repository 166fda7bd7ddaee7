import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A site of pages of known content, each of which may change once. */
export interface Origin {
  port: number
  urlOf: (page: number) => string
  /** The page has its second edition from now on. */
  change: (page: number) => void
  /** What the text of the page's document must hold: the mark of its newest edition. */
  markOf: (page: number) => string
  requests: () => number
  close: () => Promise<void>
}

const PARAGRAPHS = 7

/** Serves any number of pages of about 2 KB on a free port of 127.0.0.1, each answer `delayMs` after its request. */
export async function serveOrigin(delayMs: number): Promise<Origin> {
  const changed = new Set<number>()
  let requests = 0
  const mark = (page: number): string => `edition ${changed.has(page) ? 2 : 1} of report ${page}.`
  const server = createServer((request, response) => {
    requests += 1
    const page = Number(request.url?.slice(1))
    void sleep(delayMs).then(() => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pageOf(page, mark(page))))
    response.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    urlOf: (page) => `http://127.0.0.1:${port}/${page}`,
    change: (page) => void changed.add(page),
    markOf: mark,
    requests: () => requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function pageOf(page: number, mark: string): string {
  const paragraphs = Array.from({ length: PARAGRAPHS }, (_, at) => {
    const witnesses = 3 + ((page * 7 + at) % 90)
    return `<p>In part ${at + 1} the harbour board of town ${page} heard ${witnesses} witnesses, among them two pilots and the keeper of the old light, and put the vote on quay number ${page + at} off until the spring, although the money for it has been set aside since the summer.</p>`
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report ${page} from the harbour | The Bench Courier</title>
<meta property="og:title" content="Report ${page} from the harbour"><meta name="author" content="Ida Brandt">
<meta property="article:published_time" content="2026-11-20T08:00:00+01:00"></head>
<body><header><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav></header>
<main><article><h1>Report ${page} from the harbour</h1>
<p>What you read is ${mark} It was written after the meeting of Tuesday evening, which was open to all who live there.</p>
${paragraphs.join('\n')}
</article></main><footer><p>About us. Imprint. Privacy.</p></footer></body></html>`
}
