import { createHash } from 'node:crypto'
import { type Article, ArticleId, CaptureId, type Extent } from '@copydesk/contracts'
import type { IncomingArticle } from './document.ts'

/** Articles for the tests beside this file. */

export interface ArticleFacts {
  /** Which article; the same number is the same article. */
  article?: number
  /** Which capture of it. */
  capture?: number
  rev?: number
  fetchedAt?: string
  extent?: Extent
  wordCount?: number
  /** What a correction would change. */
  content?: string
}

export function incoming(facts: ArticleFacts = {}, changes: Partial<Article> = {}): IncomingArticle {
  const {
    article = 1,
    capture = 1,
    rev = 0,
    fetchedAt = '2026-11-20T10:00:00.000Z',
    extent = 'whole',
    wordCount = 500,
    content = 'a',
  } = facts
  const captureId = captureIdOf(capture)
  const url = `https://www.news.example/story-${article}`
  return {
    captureId,
    rev,
    fetchedAt,
    article: {
      articleId: ArticleId.parse(digest(`article ${article}`).subarray(0, 16).toString('base64url')),
      captureId,
      url,
      canonicalUrl: url,
      urls: [url],
      title: `The council votes ${article}`,
      text: `The council has voted. ${content}`,
      blocks: [{ kind: 'paragraph', text: `The council has voted. ${content}` }],
      html: null,
      authors: ['Ada Byron'],
      published: {
        at: '2026-11-19T00:00:00.000Z',
        date: '2026-11-19',
        precision: 'day',
        offset: null,
        source: 'meta',
        confidence: 0.9,
      },
      modified: null,
      language: 'en',
      description: 'A vote',
      publisher: 'The News',
      section: 'Politics',
      tags: ['council'],
      image: { url: 'https://www.news.example/a.jpg', width: 100, alt: 'The hall' },
      links: [{ url: 'https://other.example/', text: 'minutes' }],
      wordCount,
      extent,
      contentHash: digest(content).toString('hex'),
      fields: { title: 'og:title' },
      ...changes,
    },
  }
}

export function captureIdOf(capture: number): CaptureId {
  return CaptureId.parse(`01900000-0000-7000-8000-${String(capture).padStart(12, '0')}`)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
