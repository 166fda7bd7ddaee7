import { randomUUID } from 'node:crypto'
import { rmdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createArchive } from '@copydesk/archive'
import { ArticleRecord, type CaptureId, CleanedPage, type FetchedPage, type Reference } from '@copydesk/contracts'
import type { Log } from '@copydesk/pipeline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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

describe('where the archive is not there yet', () => {
  let missing: string
  let late: ParserPool
  const keep = async (): Promise<Reference> => {
    const archive = createArchive({ folder: missing, log })
    const reference = await archive.keepCapture(stamp, page)
    await archive.close()
    return reference
  }
  const title = async (reference: Reference): Promise<string | null> => {
    const reply = await late.clean({ captureId, ref: reference }, patient())
    if ('refused' in reply) throw new Error(reply.refused.evidence)
    return reply.page.title
  }

  beforeEach(async () => {
    missing = join(folder, randomUUID(), 'archive')
  })
  afterEach(() => late.close())

  test('a pool makes the folder, for its children would never be let into one that came later', async () => {
    late = createParserPool({ store: missing, size: 1 })
    await late.clean({ captureId, page }, patient())
    expect(await title(await keep())).toBe('Ferry runs again')
    expect(late.stats()).toMatchObject({ died: 0 })
  })

  test('a child that was started without the folder says that the archive is unavailable and is replaced: the next one reads', async () => {
    late = createParserPool({ store: missing, size: 2 })
    rmdirSync(missing)
    // Tasks that bring their page: both children are up, and neither has seen the folder.
    await Promise.all([1, 2, 3, 4].map(() => late.clean({ captureId, page }, patient())))
    const reference = await keep()
    const denied = await Promise.allSettled([title(reference), title(reference)])
    expect(denied).toMatchObject(
      denied.map(() => ({ status: 'rejected', reason: { name: 'RetryableError', code: 'archive-unavailable' } })),
    )
    expect(await Promise.all([1, 2, 3, 4, 5, 6].map(() => title(reference)))).toEqual(Array(6).fill('Ferry runs again'))
    expect(late.stats()).toMatchObject({ died: 0, active: 0, waiting: 0 })
  })

  test('a pool starts where the folder can not be made, and says what is wrong with each task', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    missing = join(file, 'archive')
    late = createParserPool({ store: missing, size: 1 })
    const reference: Reference = { store: 'file', segment: `raw-${captureId}.warc.gz`, offset: 0, length: 10 }
    for (let turn = 0; turn < 3; turn += 1) await expect(title(reference)).rejects.toMatchObject({ code: 'archive-unavailable' })
    expect(await late.clean({ captureId, page }, patient())).toHaveProperty('page')
  })
})
