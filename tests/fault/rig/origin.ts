import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The pages of one drill. Page numbers count from 0. */
export interface Site {
  n: number
  /** The address of a page. */
  url(page: number): string
  /** The number of the page at an address; null where it is none of this drill's. */
  pageOf(url: string): number | null
  /** The page says something else from now on. */
  change(page: number): void
  /** The paragraphs that a page consists of now. */
  paragraphs(page: number): string[]
  /** How long it takes to answer, in milliseconds. */
  answerMs: number
  /** Pages that are answered in a way of their own; `times` counts from 1. Answer false to answer as usual. */
  special: Map<number, (response: ServerResponse, times: number) => boolean>
  requests(): number
  requestsOf(page: number): number
  /** Requests that are not answered yet. */
  underWay(): number
}

/** A news site on loopback, with pages for every drill. */
export interface Origin {
  port: number
  site(name: string, n: number): Site
  close(): Promise<void>
}

const HTML = { 'content-type': 'text/html; charset=utf-8' }

/** Starts the site on a free port. Pages are small, so that a machine's time goes to the pipeline. */
export async function startOrigin(): Promise<Origin> {
  const sites = new Map<string, (page: number, response: ServerResponse) => void>()
  const server = createServer((request, response) => {
    const [, name = '', page = ''] = (request.url ?? '').split('?')[0]!.split('/')
    const serve = sites.get(name)
    response.on('error', () => undefined)
    if (serve && /^\d+$/.test(page)) serve(Number(page), response)
    else response.writeHead(404).end()
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    site(name, n) {
      const { site, serve } = createSite(`http://127.0.0.1:${port}`, name, n)
      sites.set(name, serve)
      return site
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function createSite(origin: string, name: string, n: number): { site: Site; serve: (page: number, response: ServerResponse) => void } {
  const versions = new Map<number, number>()
  const asked = new Map<number, number>()
  let underWay = 0
  const paragraphs = (page: number): string[] => paragraphsOf(name, page, versions.get(page) ?? 1)
  const site: Site = {
    n,
    url: (page) => `${origin}/${name}/${page}`,
    pageOf(url) {
      const [, of, at] = /^\/([^/]+)\/(\d+)\/?$/.exec(new URL(url).pathname) ?? []
      return of === name ? Number(at) : null
    },
    change: (page) => void versions.set(page, (versions.get(page) ?? 1) + 1),
    paragraphs,
    answerMs: 100,
    special: new Map(),
    requests: () => [...asked.values()].reduce((sum, times) => sum + times, 0),
    requestsOf: (page) => asked.get(page) ?? 0,
    underWay: () => underWay,
  }
  return {
    site,
    serve(page, response) {
      const times = site.requestsOf(page) + 1
      asked.set(page, times)
      underWay += 1
      response.once('close', () => (underWay -= 1))
      if (site.special.get(page)?.(response, times)) return
      setTimeout(() => response.writeHead(200, HTML).end(html(name, page, paragraphs(page))), site.answerMs)
    },
  }
}

function paragraphsOf(name: string, page: number, version: number): string[] {
  return Array.from(
    { length: 7 },
    (_, at) =>
      `Paragraph ${at + 1} of report ${page} for ${name}, edition ${version}: the harbour board of the town met again, heard ${page + at} witnesses and ${version} engineers, and put the vote on the new quay off until the spring.`,
  )
}

function html(name: string, page: number, paragraphs: string[]): string {
  const title = `Report ${page} from the harbour of ${name}`
  return `<!doctype html><html lang="en"><head><title>${title}</title></head><body><article><h1>${title}</h1>
${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}
</article></body></html>`
}
