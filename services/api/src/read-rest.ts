import type { Readable } from 'node:stream'

/** Enough for a body several times over the page limit, and for a slow line. Who sends more gets a broken connection. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_MS = 10_000

/** Reads and drops what still comes of a body that is refused: who is still sending would meet a closed connection instead of the answer. */
export async function readRest(body: Readable): Promise<void> {
  if (body.readableEnded || body.destroyed) return
  await new Promise<void>((resolve) => {
    let bytes = 0
    const timer = setTimeout(finish, MOST_MS)
    function finish(): void {
      clearTimeout(timer)
      body.off('data', count).pause()
      resolve()
    }
    function count(chunk: Uint8Array): void {
      bytes += chunk.length
      if (bytes > MOST_BYTES) finish()
    }
    body.once('end', finish).once('close', finish).on('data', count).resume()
  })
}
