import { z } from 'zod'
import { Block, Image } from './block.ts'
import { ArticleId, CaptureId } from './ids.ts'

/** A published or modified time that keeps where it came from. */
export const ArticleDate = z.object({
  /** ISO 8601, UTC; midnight of the day where the precision is day. */
  at: z.iso.datetime(),
  /** The calendar day in the page's own zone, YYYY-MM-DD. */
  date: z.iso.date(),
  precision: z.enum(['second', 'minute', 'day']),
  /** The zone that the page gave, such as `+09:00`; null where it gave none. */
  offset: z
    .string()
    .regex(/^[+-]\d\d:\d\d$/)
    .nullable(),
  source: z.enum(['json-ld', 'meta', 'time-element', 'text', 'url', 'hint']),
  confidence: z.number().min(0).max(1),
})
export type ArticleDate = z.infer<typeof ArticleDate>

/** `cut`: the body ended early; `teaser`: the page says that the rest is for subscribers; else `whole`. */
export const Extent = z.enum(['whole', 'teaser', 'cut'])
export type Extent = z.infer<typeof Extent>

/** The finished article, from which the Elasticsearch document is derived. */
export const Article = z.object({
  articleId: ArticleId,
  captureId: CaptureId,
  /** The address that answered; null for bytes without one. */
  url: z.string().nullable(),
  canonicalUrl: z.string(),
  /** Every address under which the article was met. */
  urls: z.array(z.string()),
  title: z.string(),
  /** The body's text, paragraphs separated by a blank line. */
  text: z.string(),
  blocks: z.array(Block),
  /** The body as sanitised HTML; null until there is one. */
  html: z.string().nullable(),
  authors: z.array(z.string()),
  published: ArticleDate.nullable(),
  modified: ArticleDate.nullable(),
  /** BCP 47, such as `en` or `pt-BR`. */
  language: z.string().nullable(),
  description: z.string().nullable(),
  publisher: z.string().nullable(),
  section: z.string().nullable(),
  tags: z.array(z.string()),
  image: Image.nullable(),
  links: z.array(z.object({ url: z.string(), text: z.string() })).max(200),
  wordCount: z.int().min(0),
  extent: Extent,
  /** SHA-256 (hex) over what a correction would change; not over what changes at every fetch. */
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** For each field, the rule that won. */
  fields: z.record(z.string(), z.string()),
})
export type Article = z.infer<typeof Article>

/** What extract-metadata hands over: the article, and when its capture was fetched, by which newer and older are told. */
export const ArticleRecord = z.object({ article: Article, fetchedAt: z.iso.datetime() })
export type ArticleRecord = z.infer<typeof ArticleRecord>
