import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a health answer is made from. `waitingFor` is empty when the service is ready. */
export interface Health {
  waitingFor(): string[]
  metrics(): Promise<{ contentType: string; text: string }>
}

export interface Answer {
  status: number
  contentType: string
  body: string
}

/** `/healthz`: the process lives; `/readyz`: it works, or says what it waits for; `/metrics`. Null for any other path. */
export async function answerHealth(path: string | undefined, health: Health): Promise<Answer | null> {
  if (path === '/healthz') return json(200, { alive: true })
  if (path === '/readyz') {
    const waitingFor = health.waitingFor()
    return json(waitingFor.length === 0 ? 200 : 503, { ready: waitingFor.length === 0, waitingFor })
  }
  if (path === '/metrics') {
    const { contentType, text } = await health.metrics()
    return { status: 200, contentType, body: text }
  }
  return null
}

function json(status: number, value: object): Answer {
  return { status, contentType: 'application/json', body: JSON.stringify(value) }
}

/** Serves health on a port of its own (0: any free one). Rejects where the port is taken. */
export async function startHealthServer(options: {
  host: string
  port: number
  health: Health
}): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answerHealth(request.url, options.health)
      .catch((error: unknown) => json(500, { error: String(error) }))
      .then((answer) => {
        const { status, contentType, body } = answer ?? json(404, { paths: ['/healthz', '/readyz', '/metrics'] })
        response.writeHead(status, { 'content-type': contentType }).end(body)
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host
  return {
    url: `http://${host}:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
