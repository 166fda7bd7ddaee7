import type { estypes } from '@elastic/elasticsearch'

type Properties = Record<string, estypes.MappingProperty>

const keyword = { type: 'keyword' } as const
/** Longer values are kept and not indexed: a term holds 32,766 bytes, and one too long would refuse the whole document. */
const name = { type: 'keyword', ignore_above: 256 } as const
const nameAndText = { ...name, fields: { text: { type: 'text', norms: false } } } as const
const address = { type: 'keyword', ignore_above: 8191, doc_values: false } as const
const date = { type: 'date' } as const
/** In `_source` alone. */
const kept = { type: 'object', enabled: false } as const
const keptKeyword = { type: 'keyword', index: false, doc_values: false } as const
const keptInteger = { type: 'integer', index: false, doc_values: false } as const

const articleDate = {
  properties: {
    at: date,
    date,
    precision: keyword,
    offset: keptKeyword,
    source: keyword,
    confidence: { type: 'half_float', index: false },
  },
} as const

/** How each field of an article is indexed; the names are the Article's own. */
export const ARTICLE_PROPERTIES: Properties = {
  articleId: keyword,
  captureId: keyword,
  url: address,
  canonicalUrl: address,
  urls: address,
  title: { type: 'text', fields: { raw: { type: 'keyword', ignore_above: 512 } } },
  // The one analysed copy of the text: a second, stemmed one doubles the server's work.
  text: { type: 'text' },
  blocks: kept,
  html: kept,
  authors: nameAndText,
  published: articleDate,
  modified: articleDate,
  language: keyword,
  description: { type: 'text' },
  publisher: nameAndText,
  section: name,
  tags: name,
  image: {
    properties: {
      url: keptKeyword,
      width: keptInteger,
      height: keptInteger,
      alt: { type: 'text', index: false },
      caption: { type: 'text', index: false },
      credit: keptKeyword,
    },
  },
  links: kept,
  wordCount: { type: 'integer' },
  extent: keyword,
  contentHash: keyword,
  fields: kept,
}

/** How the fields that the index adds are indexed. */
export const INDEX_PROPERTIES: Properties = {
  /** The registrable domain, or the host where there is none. */
  site: keyword,
  host: keyword,
  firstSeenAt: date,
  fetchedAt: date,
  /** When it counts as published: never null, so that sorting by it loses nothing. */
  effectiveAt: date,
  indexedAt: date,
  /** `live` or `retracted`. */
  status: keyword,
  rev: { type: 'integer' },
}
