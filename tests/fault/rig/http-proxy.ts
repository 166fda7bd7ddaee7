import { Agent, createServer, type IncomingMessage, request as ask, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from './random.ts'
import { readBulk, type BulkItem, spliceAnswer, writeBulk } from './bulk-body.ts'

/**
 * What Elasticsearch seems to do. `requests`: whole requests are answered so; `items`: single documents of a bulk; `lost-answer`: a bulk is
 * done and its answer is lost; `too-large`: a bulk of more documents is answered 413; `reject`: these documents reach the real server with a
 * field that it can't read; `held`: the first bulk with such a document is on its way until it is released.
 */
export type SearchFault =
  | { kind: 'requests' | 'items'; share: number; statuses: readonly number[] }
  | { kind: 'lost-answer'; share: number }
  | { kind: 'too-large'; documents: number }
  | { kind: 'reject'; isBad: (document: Record<string, unknown>) => boolean }
  | { kind: 'held'; isHeld: (document: Record<string, unknown>) => boolean; release: Promise<void> }

/** A proxy that speaks HTTP, in front of Elasticsearch. */
export interface HttpProxy {
  port: number
  set(fault: SearchFault | null): void
  counts: {
    requests: number
    bulks: number
    /** Documents sent, and those that were sent though they had been written already. */
    items: number
    sentAgain: number
    /** Requests, or items, that the fault fell on. */
    faulted: number
    rejected: number
  }
  close(): Promise<void>
}

const NAMES: Record<number, string> = { 429: 'es_rejected_execution_exception', 503: 'unavailable_shards_exception' }

/** Listens on a free port of loopback, in front of the Elasticsearch at `target`. Chance comes from the drill's seed. */
export async function startHttpProxy(target: string, random: () => Random): Promise<HttpProxy> {
  const { hostname, port: targetPort } = new URL(target)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const counts: HttpProxy['counts'] = { requests: 0, bulks: 0, items: 0, sentAgain: 0, faulted: 0, rejected: 0 }
  /** The captures that were written, whether the answer came through or not. */
  const written = new Set<string>()
  let fault: SearchFault | null = null
  let holding = false

  const server = createServer((request, response) => {
    void work(request, response).catch(() => response.destroy())
  })

  async function work(request: IncomingMessage, response: ServerResponse): Promise<void> {
    counts.requests += 1
    const body = await bodyOf(request)
    const now = fault
    if (now?.kind === 'requests' && random().chance(now.share)) {
      counts.faulted += 1
      const status = random().one(now.statuses)
      return answer(response, status, { error: { type: NAMES[status] ?? 'proxy' }, status })
    }
    if (!/\/_bulk(?:\?|$)/.test(request.url ?? '')) return await pass(request, body, response)
    await bulk(request, body, response, now)
  }

  async function bulk(request: IncomingMessage, body: Buffer, response: ServerResponse, now: SearchFault | null): Promise<void> {
    counts.bulks += 1
    const items = readBulk(body)
    if (now?.kind === 'too-large' && items.length > now.documents) {
      counts.faulted += 1
      return answer(response, 413, {})
    }
    for (const { captureId } of items) {
      counts.items += 1
      if (written.has(captureId)) counts.sentAgain += 1
    }
    if (now?.kind === 'held' && !holding && items.some(({ document }) => now.isHeld(document))) {
      holding = true
      counts.faulted += 1
      await now.release
      holding = false
    }
    const refused = now?.kind === 'items' ? items.map(() => (random().chance(now.share) ? random().one(now.statuses) : null)) : []
    counts.faulted += refused.filter((status) => typeof status === 'number').length
    const kept = items.filter((_item, at) => !refused[at])
    const real = kept.length === 0 ? { status: 200, text: '{"items":[]}' } : await forward(request, writeBulk(spoil(kept, now)))
    const text = spliceAnswer(real.text, items, refused, NAMES)
    note(items, text)
    if (now?.kind === 'lost-answer' && random().chance(now.share)) {
      counts.faulted += 1
      return void response.socket?.resetAndDestroy()
    }
    response.writeHead(real.status, HEAD).end(text)
  }

  function spoil(items: BulkItem[], now: SearchFault | null): BulkItem[] {
    if (now?.kind !== 'reject') return items
    return items.map((item) => {
      if (!now.isBad(item.document)) return item
      counts.faulted += 1
      return { ...item, document: { ...item.document, published: 'no object' } }
    })
  }

  function note(items: BulkItem[], text: string): void {
    const answers = (JSON.parse(text) as { items?: { index?: { status?: number } }[] }).items ?? []
    for (const [at, { captureId }] of items.entries()) {
      const status = answers[at]?.index?.status ?? 0
      if (status === 200 || status === 201) written.add(captureId)
      if (status === 400) counts.rejected += 1
    }
  }

  async function pass(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const { status, text } = await forward(request, body)
    response.writeHead(status, HEAD).end(request.method === 'HEAD' ? undefined : text)
  }

  async function forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<{ status: number; text: string }> {
    const { 'transfer-encoding': _chunked, ...kept } = headers
    return await new Promise((resolve, reject) => {
      const sent = ask({
        host: hostname,
        port: targetPort,
        path: url ?? '/',
        method: method ?? 'GET',
        agent,
        headers: { ...kept, host: `${hostname}:${targetPort}`, 'content-length': body.length },
      })
      sent.once('error', reject)
      sent.once(
        'response',
        (answer) => void bodyOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text: text.toString() }), reject),
      )
      sent.end(body)
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    set: (next) => (fault = next),
    close: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The client refuses to talk to what does not say that it is Elasticsearch. */
const HEAD = { 'content-type': 'application/vnd.elasticsearch+json;compatible-with=9', 'x-elastic-product': 'Elasticsearch' }

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, HEAD).end(JSON.stringify(body))
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
