import { describe, expect, it } from 'vitest'
import { ArticleDocument, buildDocument } from './document.ts'
import { incoming } from './test-data.ts'

const NOW = Date.parse('2026-11-21T00:00:00.000Z')

describe('the document of an article', () => {
  it('is the article with where it lives, when it was met and from which run it comes', () => {
    const article = incoming({ rev: 2 })
    const document = buildDocument(article, null, NOW)
    expect(ArticleDocument.parse(document)).toEqual(document)
    expect(document).toEqual({
      ...article.article,
      site: 'news.example',
      host: 'www.news.example',
      firstSeenAt: article.fetchedAt,
      fetchedAt: article.fetchedAt,
      effectiveAt: '2026-11-19T00:00:00.000Z',
      indexedAt: '2026-11-21T00:00:00.000Z',
      status: 'live',
      rev: 2,
    })
  })

  it('keeps the smaller time of first sight and every address, whichever capture comes first', () => {
    const older = incoming({ fetchedAt: '2026-11-01T00:00:00Z' }, { urls: ['https://news.example/a'] })
    const newer = incoming({ fetchedAt: '2026-11-05T00:00:00Z' }, { urls: ['https://news.example/b'] })
    for (const [first, second] of [
      [older, newer],
      [newer, older],
    ] as const) {
      const document = buildDocument(second, buildDocument(first, null, NOW), NOW)
      expect(document.firstSeenAt).toBe('2026-11-01T00:00:00Z')
      expect(document.urls.toSorted((a, b) => a.localeCompare(b))).toEqual(['https://news.example/a', 'https://news.example/b'])
    }
  })

  it('keeps 50 addresses, the newest among them', () => {
    const many = Array.from({ length: 60 }, (_, at) => `https://news.example/${at}`)
    const before = buildDocument(incoming({}, { urls: many }), null, NOW)
    const { urls } = buildDocument(incoming({}, { urls: ['https://news.example/new'] }), before, NOW)
    expect([urls.length, urls.at(-1)]).toEqual([50, 'https://news.example/new'])
  })

  it('counts as published when it was first seen where it has no published time, or one more than a day ahead of its fetch', () => {
    const { published } = incoming().article
    const effectiveAt = (at: string | null) =>
      buildDocument(incoming({ fetchedAt: '2026-11-20T10:00:00Z' }, { published: at === null ? null : { ...published!, at } }), null, NOW)
        .effectiveAt
    expect(effectiveAt(null)).toBe('2026-11-20T10:00:00Z')
    expect(effectiveAt('2026-11-21T10:00:00Z')).toBe('2026-11-21T10:00:00Z')
    expect(effectiveAt('2026-11-21T10:00:01Z')).toBe('2026-11-20T10:00:00Z')
  })

  it.each([
    ['urn:sha256:00', null, null],
    ['http://127.0.0.1:8080/a', '127.0.0.1', '127.0.0.1'],
    ['http://localhost/a', 'localhost', 'localhost'],
    ['https://a.news.co.uk/x', 'news.co.uk', 'a.news.co.uk'],
  ])('of %s has the site %s and the host %s', (canonicalUrl, site, host) => {
    expect(buildDocument(incoming({}, { canonicalUrl }), null, NOW)).toMatchObject({ site, host })
  })
})
