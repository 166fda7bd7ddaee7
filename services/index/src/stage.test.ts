import { ArticleRecord, CaptureId } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import { describe, expect, it } from 'vitest'
import { type IndexDeps, indexStage } from './stage.ts'

const captureId = CaptureId.parse('01900000-0000-7000-8000-000000000001')
const record = ArticleRecord.parse({
  fetchedAt: '2026-11-20T10:00:00Z',
  article: {
    articleId: 'AAAAAAAAAAAAAAAAAAAAAA',
    captureId,
    url: null,
    canonicalUrl: 'urn:sha256:00',
    urls: [],
    title: 'A title',
    text: 'A text',
    blocks: [],
    html: null,
    authors: [],
    published: null,
    modified: null,
    language: null,
    description: null,
    publisher: null,
    section: null,
    tags: [],
    image: null,
    links: [],
    wordCount: 2,
    extent: 'whole',
    contentHash: '0'.repeat(64),
    fields: {},
  },
})
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

function run(index: IndexDeps['articles']['index']) {
  const signal = new AbortController().signal
  return indexStage.run(record, { deps: { articles: { index } }, log, signal, captureId, rev: 3, run: 9, attempt: 1, wakes: 0 })
}

describe('the index stage', () => {
  it('gives the index the article with its capture and revision, and ends with its decision', async () => {
    const given: unknown[] = []
    const result = await run(async (incoming) => {
      given.push(incoming)
      return { outcome: 'unchanged', written: true }
    })
    expect(given).toEqual([{ ...record, captureId, rev: 3 }])
    expect(result).toEqual({ next: false, outcome: 'unchanged', articleId: record.article.articleId })
  })

  it('passes on the code of a refusal', async () => {
    const result = await run(async () => ({ outcome: 'refused', code: 'retracted', written: false }))
    expect(result).toMatchObject({ outcome: 'refused', code: 'retracted' })
  })

  it('passes on what the index throws', async () => {
    const error = new PermanentError('search-rejected', 'x')
    await expect(run(() => Promise.reject(error))).rejects.toBe(error)
  })
})
