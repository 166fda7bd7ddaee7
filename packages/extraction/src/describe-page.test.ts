import { Article, type CaptureId, type CleanedPage } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { NO_SIGNALS } from './clean/read-signals.ts'
import { describePage } from './describe-page.ts'

const captureId = '0190b0a0-0000-7000-8000-000000000000' as CaptureId

function page(given: Partial<CleanedPage> = {}): CleanedPage {
  const none = { url: null, requestedUrl: null, status: null, contentType: null, robotsTag: null, etag: null, lastModified: null }
  const capture = {
    source: 'bytes' as const,
    chain: [],
    fetchedAt: '2026-03-20T12:00:00.000Z',
    contentEncoding: [],
    cut: false,
    bytes: 1,
    ...none,
  }
  const blocks = [
    { kind: 'paragraph' as const, text: 'One two.' },
    { kind: 'list' as const, ordered: false, items: ['a', 'b'] },
    { kind: 'figure' as const, image: null, caption: 'left out' },
  ]
  return {
    capture,
    kind: 'text',
    encoding: 'utf-8',
    bytesHash: 'ab'.repeat(32),
    title: 'Ferry',
    blocks,
    cut: false,
    signals: NO_SIGNALS,
    ...given,
  }
}

test('text is the blocks with a blank line between, captions aside, and words are counted in it', () => {
  expect(describePage(page(), captureId).article).toMatchObject({
    text: 'One two.\n\na\nb',
    wordCount: 4,
    fields: { title: 'body', canonicalUrl: 'bytes' },
  })
})

test('a body that fetch flagged is cut, even if the page says that it is free', () => {
  const signals = { ...NO_SIGNALS, jsonLd: ['{"@type":"Article","isAccessibleForFree":false}'] }
  expect(describePage(page({ cut: true, signals }), captureId).article.extent).toBe('cut')
  expect(describePage(page({ signals }), captureId).article.extent).toBe('teaser')
  expect(describePage(page(), captureId).article.extent).toBe('whole')
})

test('the same bytes are the same article, whoever brings them', () => {
  const [one, other] = [describePage(page(), captureId).article, describePage(page(), captureId).article]
  expect(one).toEqual(other)
  expect(one.canonicalUrl).toBe(`urn:sha256:${'ab'.repeat(32)}`)
  expect(describePage(page({ bytesHash: 'cd'.repeat(32) }), captureId).article.articleId).not.toBe(one.articleId)
})

test('no half of a surrogate pair gets through, since the search engine refuses it', () => {
  const signals = { ...NO_SIGNALS, jsonLd: [String.raw`{"@type":"Article","headline":"Ferry \ud83d","author":"Ada \udc00"}`] }
  const { article } = describePage(page({ signals, blocks: [{ kind: 'paragraph', text: 'half \ud83d' }] }), captureId)
  expect(JSON.stringify(article)).not.toMatch(/\\ud[89a-f]/i)
  expect(Article.parse(article).title).toBe('Ferry \ufffd')
})
