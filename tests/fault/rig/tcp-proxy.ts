import { createServer, connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/**
 * What the proxy does. `silent`: nothing goes through and nobody is told, until it passes again; `silent-old`: so for every connection that
 * there is now, for ever, while new ones pass; `cut`: each connection is reset after so many bytes of answers.
 */
export type ProxyMode =
  | { kind: 'pass' | 'refuse' | 'reset' | 'silent' | 'silent-old' }
  | { kind: 'slow'; ms: number }
  | { kind: 'cut'; bytes: number }

/** A proxy between the services and something that they need. */
export interface TcpProxy {
  port: number
  set(mode: ProxyMode): Promise<void>
  /** Resets every connection once, and says how many there were. */
  reset(): number
  /** What it met since the start. */
  counts: { connections: number; reset: number; silenced: number; slowed: number; cut: number }
  close(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket | null
  /** Silent for ever. */
  lost: boolean
  answered: number
  /** Answers that are held back: none may overtake them. */
  held: Buffer[]
}

/** Listens on a free port of loopback and passes everything on to `target`. */
export async function startTcpProxy(target: () => number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  const counts: TcpProxy['counts'] = { connections: 0, reset: 0, silenced: 0, slowed: 0, cut: 0 }
  let mode: ProxyMode = { kind: 'pass' }
  const server = createServer((client) => {
    counts.connections += 1
    const pair: Pair = { client, server: null, lost: false, answered: 0, held: [] }
    client.on('error', () => undefined)
    if (mode.kind === 'reset') {
      resetPair(pair)
      return
    }
    pairs.add(pair)
    client.on('close', () => drop(pair))
    if (mode.kind === 'silent') hush(pair)
    else join(pair)
  })

  function join(pair: Pair): void {
    const upstream = connect({ port: target(), host: '127.0.0.1' })
    pair.server = upstream
    for (const socket of [pair.client, upstream]) socket.setNoDelay(true)
    upstream.on('error', () => undefined)
    upstream.on('close', () => drop(pair))
    pair.client.on('data', (bytes) => upstream.write(bytes))
    pair.client.on('end', () => upstream.end())
    upstream.on('data', (bytes) => answer(pair, bytes))
    upstream.on('end', () => pair.client.end())
  }

  function answer(pair: Pair, bytes: Buffer): void {
    if (mode.kind === 'slow' || pair.held.length > 0) {
      if (mode.kind === 'slow') counts.slowed += 1
      pair.held.push(bytes)
      // Whichever timer comes first, the oldest goes first.
      setTimeout(() => pair.client.write(pair.held.shift()!), mode.kind === 'slow' ? mode.ms : 0)
      return
    }
    if (mode.kind === 'cut' && pair.answered + bytes.length > mode.bytes) {
      counts.cut += 1
      pair.client.write(bytes.subarray(0, Math.max(0, mode.bytes - pair.answered)), () => resetPair(pair))
      return
    }
    pair.answered += bytes.length
    pair.client.write(bytes)
  }

  function hush(pair: Pair): void {
    counts.silenced += 1
    pair.client.pause()
    pair.server?.pause()
  }

  function wake(pair: Pair): void {
    if (pair.lost) return
    if (pair.server === null) join(pair)
    pair.client.resume()
    pair.server?.resume()
  }

  function drop(pair: Pair): void {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server?.destroy()
  }

  function resetPair(pair: Pair): void {
    counts.reset += 1
    pair.client.resetAndDestroy()
    pair.server?.destroy()
    pairs.delete(pair)
  }

  function resetAll(): number {
    const { size } = pairs
    for (const pair of pairs) resetPair(pair)
    return size
  }

  const listen = async (port: number): Promise<void> =>
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const stopListening = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    resetAll()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo

  return {
    port,
    counts,
    reset: resetAll,
    async set(next) {
      const before = mode
      mode = next
      if (next.kind === 'refuse') await stopListening()
      else if (before.kind === 'refuse') await listen(port)
      if (next.kind === 'reset') resetAll()
      if (next.kind === 'silent') for (const pair of pairs) hush(pair)
      else if (before.kind === 'silent') for (const pair of pairs) wake(pair)
      if (next.kind === 'silent-old') for (const pair of pairs) hush(Object.assign(pair, { lost: true }))
    },
    close: async () => {
      if (server.listening) await stopListening()
    },
  }
}
