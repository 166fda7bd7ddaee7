import { Article, type ArticleRecord, CaptureId, Extent } from '@copydesk/contracts'
import { hostOf, registrableDomain } from '@copydesk/url'
import { z } from 'zod'

/** What the index stage takes: an article record, and which capture and revision it comes from. */
export interface IncomingArticle extends ArticleRecord {
  captureId: CaptureId
  rev: number
}

/** What a look brings of a stored document. */
export const StoredArticle = z.object({
  captureId: CaptureId,
  rev: z.int(),
  fetchedAt: z.iso.datetime(),
  firstSeenAt: z.iso.datetime(),
  contentHash: z.string(),
  extent: Extent,
  wordCount: z.int(),
  status: z.enum(['live', 'retracted']),
  urls: z.array(z.string()),
})
export type StoredArticle = z.infer<typeof StoredArticle>

/** A retracted document may have lost all but its status. */
export const RetractedArticle = z.object({ status: z.literal('retracted') })
export type RetractedArticle = z.infer<typeof RetractedArticle>

/** The document in Elasticsearch: the Article, and what the index adds to it. */
export const ArticleDocument = Article.extend({
  site: z.string().nullable(),
  host: z.string().nullable(),
  firstSeenAt: z.iso.datetime(),
  fetchedAt: z.iso.datetime(),
  effectiveAt: z.iso.datetime(),
  indexedAt: z.iso.datetime(),
  status: z.enum(['live', 'retracted']),
  rev: z.int(),
})
export type ArticleDocument = z.infer<typeof ArticleDocument>

/** Addresses kept per article: beyond them the oldest in order go. */
const MAX_URLS = 50
const DAY_MS = 24 * 3600 * 1000

/** The document of an article, over what is stored of it. `now` in milliseconds. */
export function buildDocument(incoming: IncomingArticle, stored: StoredArticle | null, now: number): ArticleDocument {
  const { article, fetchedAt, captureId, rev } = incoming
  const firstSeenAt = stored !== null && Date.parse(stored.firstSeenAt) < Date.parse(fetchedAt) ? stored.firstSeenAt : fetchedAt
  const host = URL.canParse(article.canonicalUrl) ? hostOrNull(article.canonicalUrl) : null
  return {
    ...article,
    captureId,
    urls: [...new Set([...(stored?.urls ?? []), ...article.urls])].slice(-MAX_URLS),
    site: host === null ? null : (registrableDomain(article.canonicalUrl) ?? host),
    host,
    firstSeenAt,
    fetchedAt,
    effectiveAt: effectiveAt(article, fetchedAt) ?? firstSeenAt,
    indexedAt: new Date(now).toISOString(),
    status: 'live',
    rev,
  }
}

/** The published time, where it isn't later than a day of clock skew after the fetch. */
function effectiveAt({ published }: Article, fetchedAt: string): string | null {
  return published !== null && Date.parse(published.at) <= Date.parse(fetchedAt) + DAY_MS ? published.at : null
}

/** Null for bytes without an address, whose canonical URL is a `urn:`. */
function hostOrNull(url: string): string | null {
  return /^https?:/.test(url) ? hostOf(url) : null
}
