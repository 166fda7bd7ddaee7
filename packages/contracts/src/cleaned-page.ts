import { z } from 'zod'
import { Block } from './block.ts'
import { Capture } from './capture.ts'

/** What the page's markup said outside its body: all that extract-metadata needs, so that it never sees HTML. Every list is capped where it is made. */
export const Signals = z.object({
  htmlLang: z.string().nullable(),
  /** The text of `<title>`. */
  title: z.string().nullable(),
  headings: z.array(z.string()),
  /** `<meta>`: name or property (lower case) and content, in the page's order. */
  metas: z.array(z.object({ name: z.string(), content: z.string() })),
  /** The text of each `application/ld+json` script. */
  jsonLd: z.array(z.string()),
  /** The first `<link rel=canonical>`, as given. */
  canonical: z.string().nullable(),
  times: z.array(z.object({ datetime: z.string(), text: z.string(), itemprop: z.string().nullable() })),
  /** Texts that look like a byline, or a visible date, near the headline. */
  bylines: z.array(z.string()),
  dateTexts: z.array(z.string()),
})
export type Signals = z.infer<typeof Signals>

/** What clean hands over: the article's blocks, and signals. */
export const CleanedPage = z.object({
  capture: Capture,
  kind: z.enum(['html', 'text']),
  encoding: z.string(),
  /** SHA-256 (hex) of the bytes as given: the identity of bytes without an address. */
  bytesHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** The headline as the body's reader found it. */
  title: z.string().nullable(),
  blocks: z.array(Block),
  cut: z.boolean(),
  signals: Signals,
})
export type CleanedPage = z.infer<typeof CleanedPage>
