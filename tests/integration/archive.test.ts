import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createArchive, createArchiveReader, scanSegments } from '@copydesk/archive'
import { type FetchedPage, Reference } from '@copydesk/contracts'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WARCParser, WARCRecord, WARCSerializer } from 'warcio'
import { newCaptureId, silent } from '../support/redis.ts'

const run = promisify(execFile)
const WRITER = join(import.meta.dirname, 'archive-writer.ts')
const CHILD = join(import.meta.dirname, 'archive-child-reader.ts')

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'copydesk-archive-'))
})

afterEach(() => rm(folder, { recursive: true }))

interface Kept {
  reference: Reference
  body: string
}

function startWriter(rotateBytes: number): ChildProcess {
  return spawn(process.execPath, [WRITER, folder, String(rotateBytes)], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What the writer prints; ends when it does. */
async function* printed(writer: ChildProcess): AsyncGenerator<Partial<Kept> & { failed?: string }> {
  for await (const line of createInterface({ input: writer.stdout! })) {
    // A line is cut where the writer was killed within it: it was not given out whole.
    if (line.endsWith('}')) yield JSON.parse(line) as Kept
  }
}

describe('the archive across processes', () => {
  it('keeps every record whose reference was given out when its writer is killed in the middle of it', async () => {
    const kept: Kept[] = []
    for (let round = 0; round < 5; round += 1) {
      const writer = startWriter(1e9)
      const killAt = kept.length + 50 + round * 77
      for await (const line of printed(writer)) {
        kept.push(line as Kept)
        if (kept.length === killAt) writer.kill('SIGKILL')
      }
    }
    const reader = createArchiveReader({ folder })
    for (const { reference, body } of kept) {
      const page = await reader.readCapture(reference)
      expect(Buffer.from(page.body).toString()).toBe(body.repeat(500))
    }
    await reader.close()
    const scanned = new Set<string>()
    for await (const { reference } of scanSegments(folder, 'raw')) scanned.add(JSON.stringify(reference))
    expect(kept.filter(({ reference }) => !scanned.has(JSON.stringify(reference)))).toEqual([])
    expect(await readdir(folder)).toHaveLength(5)
  })

  it('is read at once by another process, while segments are closed all the time', async () => {
    const writer = startWriter(20_000)
    const reader = createArchiveReader({ folder })
    let read = 0
    for await (const line of printed(writer)) {
      const { reference, body } = line as Kept
      const page = await reader.readCapture(reference)
      expect(Buffer.from(page.body).toString()).toBe(body.repeat(500))
      read += 1
      if (read === 1500) writer.kill('SIGKILL')
    }
    await reader.close()
    const names = await readdir(folder)
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => name.endsWith('.open')).length).toBeLessThanOrEqual(1)
  })

  it('goes on in a new segment when an append fails half-way, and gives out nothing of the failed one', async () => {
    // The file size limit stops a write in its middle, as a full disk does; the signal that comes with it is ignored.
    const command = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`
    const writer = spawn('bash', ['-c', command, process.execPath, WRITER, folder, '1000000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const kept: Kept[] = []
    const failures: string[] = []
    for await (const line of printed(writer)) {
      if (line.failed === undefined) kept.push(line as Kept)
      else failures.push(line.failed)
      if (failures.length >= 40 && kept.length >= 200) writer.kill('SIGKILL')
    }
    expect(failures[0]).toMatch(/cannot write to the archive in .*(only \d+ of \d+ bytes were taken|raise the file size limit)/)
    expect(new Set(kept.map(({ reference }) => reference.segment)).size).toBeGreaterThan(1)
    const reader = createArchiveReader({ folder })
    for (const { reference, body } of kept) expect((await reader.readCapture(reference)).body.byteLength).toBe(body.length * 500)
    await reader.close()
  })

  it('is read by a child that may read its folder and write nothing', async () => {
    const { reference, close } = await keep(fetched(Buffer.from('<p>x</p>'), []))
    const root = join(import.meta.dirname, '../..')
    const args = ['--permission', `--allow-fs-read=${root}`, `--allow-fs-read=${folder}`, CHILD, folder, JSON.stringify(reference)]
    const { stdout } = await run(process.execPath, args)
    expect(stdout).toBe('https://news.example/a 8\nERR_ACCESS_DENIED\n')
    await close()
  })
})

describe('the archive beside the warcio package', () => {
  it('writes what warcio reads: every record, its HTTP head, its body in the coding it came in', async () => {
    const text = Buffer.from('<p>The council has voted. Zürich</p>'.repeat(50))
    const pages = [fetched(text, []), fetched(gzipSync(text), ['gzip']), { ...fetched(text, []), head: null }]
    const archive = createArchive({ folder, log: silent })
    for (const page of pages) await archive.keepCapture({ v: 1, captureId: newCaptureId(), rev: 0, run: 1 }, page)
    await archive.close()
    const [name = ''] = await readdir(folder)
    const records = []
    for await (const record of new WARCParser(createReadStream(join(folder, name)))) {
      const raw = await record.readFully(false)
      records.push({ type: record.warcType, url: record.warcTargetURI, status: record.httpHeaders?.statusCode, bytes: Buffer.from(raw) })
      expect(record.warcHeaders.protocol).toBe('WARC/1.1')
    }
    expect(records.map(({ type }) => type)).toEqual(['warcinfo', 'response', 'metadata', 'response', 'metadata', 'resource', 'metadata'])
    expect(records.slice(1).map(({ url }) => url)).toEqual(Array.from({ length: 6 }, () => 'https://news.example/a'))
    expect([records[1]?.status, records[3]?.status, records[5]?.status]).toEqual([200, 200, undefined])
    expect(records[1]?.bytes.includes(text)).toBe(true)
    expect(JSON.parse(records[2]!.bytes.toString())).toMatchObject({ v: 1, content: { url: 'https://news.example/a' } })
  })

  it('has the digests that warcio computes for the same record', async () => {
    const text = Buffer.from('<p>The council has voted.</p>')
    const { reference, close } = await keep(fetched(text, []))
    await close()
    const file = await readFile(join(folder, reference.segment))
    const [ours] = await parseAll([file.subarray(reference.offset, reference.offset + reference.length)])
    const again = WARCRecord.create(
      { type: 'response', url: 'https://news.example/a', statusline: 'HTTP/1.1 200 OK', httpHeaders: { 'content-type': 'text/html' } },
      [text],
    )
    const [theirs] = await parseAll([await WARCSerializer.serialize(again, { digest: { algo: 'sha-1', prefix: 'sha1:', base32: true } })])
    expect(ours!.warcHeaders.headers.get('WARC-Payload-Digest')).toBe(theirs!.warcHeaders.headers.get('WARC-Payload-Digest'))
  })

  it('reads what warcio writes', async () => {
    const { reference, close } = await keep(fetched(Buffer.from('x'), []))
    await close()
    const metadata = await recordJson(reference)
    const text = Buffer.from('<p>Elsewhere</p>')
    const url = 'https://news.example/a'
    const response = WARCRecord.create(
      { type: 'response', url, statusline: 'HTTP/1.1 203 Fine', httpHeaders: { 'content-type': 'text/html' } },
      [text],
    )
    const about = WARCRecord.create({ type: 'metadata', url, warcHeaders: { 'Content-Type': 'application/json' } }, [Buffer.from(metadata)])
    const bytes = Buffer.concat([
      await WARCSerializer.serialize(response, { gzip: true }),
      await WARCSerializer.serialize(about, { gzip: true }),
    ])
    const segment = `raw-${v7()}.warc.gz`
    await writeFile(join(folder, segment), bytes)
    const reader = createArchiveReader({ folder })
    const page = await reader.readCapture(Reference.parse({ store: 'file', segment, offset: 0, length: bytes.length }))
    expect(page.head).toEqual({ status: 203, statusText: 'Fine', headers: [['content-type', 'text/html']] })
    expect(Buffer.from(page.body)).toEqual(text)
    await reader.close()
    const lengths = []
    for await (const { reference: scanned } of scanSegments(folder, 'raw')) if (scanned.segment === segment) lengths.push(scanned.length)
    expect(lengths).toEqual([bytes.length])
  })
})

async function keep(page: FetchedPage) {
  const archive = createArchive({ folder, log: silent })
  const reference = await archive.keepCapture({ v: 1, captureId: newCaptureId(), rev: 0, run: 1 }, page)
  return { reference, close: () => archive.close() }
}

async function recordJson(reference: Reference): Promise<string> {
  const reader = createArchiveReader({ folder })
  const { stamp, content } = await reader.readRecord(reference)
  await reader.close()
  return JSON.stringify({ ...stamp, content })
}

async function parseAll(chunks: Uint8Array[]): Promise<WARCRecord[]> {
  const records = []
  for await (const record of new WARCParser(chunks)) {
    await record.readFully(false)
    records.push(record)
  }
  return records
}

function fetched(body: Buffer<ArrayBuffer>, contentEncoding: string[]): FetchedPage {
  const url = 'https://news.example/a'
  const headers: [string, string][] = [['content-type', 'text/html']]
  if (contentEncoding.length > 0) headers.push(['content-encoding', contentEncoding.join(', ')])
  const facts = { status: 200, contentType: 'text/html', contentEncoding, robotsTag: null, etag: null, lastModified: null, cut: false }
  const capture = { source: 'url' as const, requestedUrl: url, url, chain: [], fetchedAt: '2026-11-20T10:00:00.000Z', ...facts }
  return { capture: { ...capture, bytes: body.length }, head: { status: 200, statusText: 'OK', headers }, body }
}
