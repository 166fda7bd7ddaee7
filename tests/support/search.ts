import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNames, createSearchClient, setUpSearch } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'
import { inject, onTestFinished } from 'vitest'

/** Takes away everything that was set up under an alias of a test's own. */
export async function dropArticles(client: Client, alias: string): Promise<void> {
  const names = createNames(alias)
  const indices = Object.keys(await client.indices.get({ index: names.partitions, expand_wildcards: 'all' }, { ignore: [404] }))
  if (indices.length > 0) await client.indices.delete({ index: indices })
  await client.indices.deleteIndexTemplate({ name: names.template }, { ignore: [404] })
  await client.cluster.deleteComponentTemplate({ name: [names.settingsComponent, names.mappingsComponent] }, { ignore: [404] })
}

/** A part of the tests' Elasticsearch of one's own, set up at `now`; emptied when the test is over. Nothing in it is refreshed by itself. */
export async function searchPart(now: Date) {
  const client = createSearchClient({ url: inject('elasticsearchUrl') })
  const names = createNames(`test-${randomUUID().slice(0, 8)}`)
  onTestFinished(async () => {
    await dropArticles(client, names.live)
    await client.close()
  })
  await setUpSearch(client, { now, names })
  await client.indices.putSettings({ index: names.partitions, settings: { refresh_interval: '-1' } })
  return { client, names }
}

/** What a proxy does with a request: lets it pass; answers with a status in Elasticsearch's place; hangs up; says nothing; passes it and hangs up in place of the answer; passes it late; or passes the items of a bulk that have no status here. */
export type ProxyFault =
  | 'pass'
  | 'reset'
  | 'silent'
  | 'lose'
  | { delayMs: number }
  | { status: number; type?: string }
  | { items: (nth: number) => { status: number; type: string } | null }

export interface SeenRequest {
  method: string
  path: string
  /** The ids that a bulk carries. */
  ids: string[]
  fault: ProxyFault
  /** Those of them that came to Elasticsearch. */
  arrived: string[]
}

/** A proxy before the tests' Elasticsearch, with faults as `choose` says. */
export async function startSearchProxy(choose: (request: Omit<SeenRequest, 'fault' | 'arrived'>) => ProxyFault) {
  const target = new URL(inject('elasticsearchUrl'))
  const seen: SeenRequest[] = []
  let chooser = choose

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(incoming)
    const { method = 'GET', url = '/' } = incoming
    const isBulk = url.startsWith('/_bulk')
    const asked = { method, path: url, ids: isBulk ? bulkItems(body).map(({ id }) => id) : [] }
    const fault = chooser(asked)
    const entry: SeenRequest = { ...asked, fault, arrived: [] }
    seen.push(entry)
    if (fault === 'silent') return
    if (fault === 'reset') return void incoming.socket.destroy()
    if (typeof fault === 'object' && 'status' in fault) return answer(response, fault.status, fault.type)
    if (typeof fault === 'object' && 'items' in fault) {
      entry.arrived = await passItems(incoming, body, fault.items, response)
      return
    }
    if (typeof fault === 'object') await sleep(fault.delayMs)
    entry.arrived = entry.ids
    const passed = await pass(incoming, body)
    if (fault === 'lose') return void incoming.socket.destroy()
    response.writeHead(passed.status, passed.headers).end(passed.body)
  }

  function pass(incoming: IncomingMessage, body: Buffer): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
    const headers = { ...incoming.headers, 'content-length': String(body.length) }
    return new Promise((resolve, reject) => {
      const sent = request({ host: target.hostname, port: target.port, method: incoming.method, path: incoming.url, headers }, (got) => {
        const type = { 'content-type': got.headers['content-type'] ?? 'text/plain', 'x-elastic-product': 'Elasticsearch' }
        readAll(got).then((bytes) => resolve({ status: got.statusCode ?? 502, headers: type, body: bytes }), reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Elasticsearch sees the items that are to pass; the answer has all of them, in order. */
  async function passItems(
    incoming: IncomingMessage,
    body: Buffer,
    faultOf: (nth: number) => { status: number; type: string } | null,
    response: ServerResponse,
  ): Promise<string[]> {
    const faults = bulkItems(body).map((item, nth) => ({ item, fault: faultOf(nth) }))
    const passing = faults.filter(({ fault }) => fault === null)
    const sent = Buffer.from(passing.map(({ item }) => `${item.lines}\n`).join(''))
    const answered = passing.length === 0 ? [] : (JSON.parse(String((await pass(incoming, sent)).body)) as { items: unknown[] }).items
    const items = faults.map(({ fault }) =>
      fault === null ? answered.shift() : { index: { status: fault.status, error: { type: fault.type, reason: 'by the proxy' } } },
    )
    response.writeHead(200, HEAD).end(JSON.stringify({ items }))
    return passing.map(({ item }) => item.id)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    bulks: () => seen.filter(({ path }) => path.startsWith('/_bulk')),
    choose: (next: typeof choose) => void (chooser = next),
    /** Refuses connections from here on. */
    stop,
    /** Takes them again. */
    start: async () => void (await once(server.listen(port, '127.0.0.1'), 'listening')),
  }
}

const HEAD = { 'content-type': 'application/vnd.elasticsearch+json;compatible-with=9', 'x-elastic-product': 'Elasticsearch' }

function answer(response: ServerResponse, status: number, type = 'es_rejected_execution_exception'): void {
  // A gateway's own faults are no JSON.
  if (status === 429) response.writeHead(status, HEAD).end(JSON.stringify({ error: { type }, status }))
  else if (type === 'cluster_block_exception') response.writeHead(status, HEAD).end(JSON.stringify({ error: { type }, status }))
  else response.writeHead(status, { 'content-type': 'text/html' }).end('<html>fault</html>')
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The items of a bulk body: each its two lines, and its id. */
function bulkItems(body: Buffer): { id: string; lines: string }[] {
  const lines = String(body).trimEnd().split('\n')
  return lines.flatMap((line, at) => {
    if (at % 2 === 1) return []
    const { index } = JSON.parse(line) as { index: { _id: string } }
    return [{ id: index._id, lines: `${line}\n${lines[at + 1]}` }]
  })
}
