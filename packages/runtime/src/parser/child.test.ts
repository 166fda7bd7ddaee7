import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createArchive } from '@copydesk/archive'
import { ArticleRecord, type CaptureId, CleanedPage, type FetchedPage, type Reference } from '@copydesk/contracts'
import type { Log } from '@copydesk/pipeline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createParserPool } from './pool.ts'
import type { ParserPool } from './tasks.ts'

const captureId = '0190b0a0-0000-7000-8000-000000000000' as CaptureId
const stamp = { v: 1 as const, captureId, rev: 0, run: 1 }
const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const patient = (): AbortSignal => AbortSignal.timeout(20_000)

const sentence = 'The ferry to the island runs every hour again, after the harbour master had the channel dredged. '
const body = Buffer.from(
  `<html lang="en"><body><article><h1>Ferry runs again</h1><p>${sentence}</p><p>${sentence.repeat(2)}</p></article></body></html>`,
)
const page: FetchedPage = {
  capture: {
    source: 'url',
    requestedUrl: 'https://courier.example/ferry?utm_source=a',
    url: 'https://courier.example/ferry',
    chain: [],
    fetchedAt: '2026-03-20T12:00:00.000Z',
    status: 200,
    contentType: 'text/html',
    contentEncoding: [],
    robotsTag: null,
    etag: null,
    lastModified: null,
    cut: false,
    bytes: body.length,
  },
  head: { status: 200, statusText: 'OK', headers: [['content-type', 'text/html']] },
  body,
}

let folder: string
let pool: ParserPool

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'copydesk-parser-'))
  pool = createParserPool({ store: folder, size: 1 })
})
afterAll(async () => {
  await pool.close()
  await rm(folder, { recursive: true })
})

test('a child reads records by their references, while the segment grows, and gives what the stages hand over', async () => {
  const archive = createArchive({ folder, log })
  const raw = await archive.keepCapture(stamp, page)
  const reply = await pool.clean({ captureId, ref: raw }, patient())
  if ('refused' in reply) throw new Error(reply.refused.evidence)
  expect(CleanedPage.parse(reply.page)).toMatchObject({
    title: 'Ferry runs again',
    kind: 'html',
    blocks: [{ kind: 'paragraph' }, { kind: 'paragraph' }],
  })

  const clean = await archive.keepRecord('clean', stamp, reply.page)
  const record = ArticleRecord.parse(await pool.describe({ captureId, ref: clean }, patient()))
  expect(record).toMatchObject({
    fetchedAt: page.capture.fetchedAt,
    article: { captureId, title: 'Ferry runs again', language: 'en', urls: [page.capture.requestedUrl, page.capture.url] },
  })
  await archive.close()
})

test('a record that is gone, and one of another kind, arrive as what they are', async () => {
  const gone: Reference = { store: 'file', segment: 'raw-0190b0a0-0000-7000-8000-000000000001.warc.gz', offset: 0, length: 10 }
  await expect(pool.clean({ captureId, ref: gone }, patient())).rejects.toMatchObject({ name: 'PermanentError', code: 'record-lost' })

  const archive = createArchive({ folder, log })
  const other = await archive.keepRecord('clean', stamp, { title: 'not a page' })
  await expect(pool.describe({ captureId, ref: other }, patient())).rejects.toMatchObject({ name: 'PermanentError', code: 'schema' })
  await archive.close()
})

test('without an archive a page is given itself', async () => {
  const alone = createParserPool({ store: null, size: 1 })
  try {
    const reply = await alone.clean({ captureId, page }, patient())
    if ('refused' in reply) throw new Error(reply.refused.evidence)
    expect((await alone.describe({ captureId, cleaned: reply.page }, patient())).article.title).toBe('Ferry runs again')
    expect(await alone.clean({ captureId, page: { ...page, body: Buffer.from('%PDF-') } }, patient())).toMatchObject({
      refused: { code: 'unsupported-type' },
    })
  } finally {
    await alone.close()
  }
})
