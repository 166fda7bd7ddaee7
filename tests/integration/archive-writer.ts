/** A process that keeps pages in the archive until it is killed, and prints each reference once it was given out. Run by archive.test.ts: `node archive-writer.ts FOLDER ROTATE_BYTES [PROCESS_ID]`. */
import { createArchive } from '@copydesk/archive'
import { CaptureId, type FetchedPage } from '@copydesk/contracts'
import { v7 } from 'uuid'
import { silent } from '../support/redis.ts'

const [folder = '', rotateBytes = '', processId] = process.argv.slice(2)
const archive = createArchive({ folder, log: silent, rotateBytes: Number(rotateBytes), ...(processId !== undefined && { processId }) })

function page(body: string): FetchedPage {
  const url = 'https://news.example/a'
  const facts = { status: 200, contentType: 'text/html', contentEncoding: [], robotsTag: null, etag: null, lastModified: null, cut: false }
  const capture = { source: 'url' as const, requestedUrl: url, url, chain: [], fetchedAt: new Date().toISOString(), ...facts }
  return {
    capture: { ...capture, bytes: body.length },
    head: { status: 200, statusText: 'OK', headers: [] },
    body: Buffer.from(body),
  }
}

async function keepOn(lane: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const body = `${lane}-${count} `.repeat(500)
    try {
      const reference = await archive.keepCapture({ v: 1, captureId: CaptureId.parse(v7()), rev: 0, run: 1 }, page(body))
      process.stdout.write(`${JSON.stringify({ reference, body: `${lane}-${count} ` })}\n`)
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ failed: String(error) })}\n`)
    }
  }
}

await Promise.all(Array.from({ length: 20 }, (_, lane) => keepOn(lane)))
