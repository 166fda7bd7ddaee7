import { Readability } from '@mozilla/readability'
import type { Block, Signals } from '@copydesk/contracts'
import { judgeBody } from '../judge-body.ts'
import { refuse, type Refusal } from '../refusal.ts'
import { collectParagraphs } from './collect-paragraphs.ts'
import { collapse, isDeeperThan, parsePage, type DomDocument, type DomNode } from './dom.ts'
import { readBlocks, type BodyBlocks } from './read-blocks.ts'
import { NO_SIGNALS, readSignals } from './read-signals.ts'
import { withoutTop } from './without-top.ts'

export interface CleanBody {
  title: string | null
  blocks: Block[]
  signals: Signals
}

/**
 * Keeps a page's article and drops the rest, and reads the signals from the same parse. `base` is the page's address, or null.
 * Refuses what has no article in it, with the evidence; never throws for what a page says.
 */
export function cleanHtml(html: string, base: string | null): CleanBody | { refused: Refusal } {
  if (html.trim() === '') return refuse('empty', 'the page has no content')
  const document = tryOr(() => parsePage(html), null)
  if (document === null) return refuse('not-article', 'the page can not be parsed as HTML')
  const address = baseOf(document, base)
  const signals = tryOr(() => readSignals(document), NO_SIGNALS)
  const frames = document.querySelector('frameset') !== null

  const found = readArticle(document, html, address)
  if (found === null || found.body.blocks.length === 0) {
    if (frames) return refuse('not-article', 'the page is a frameset: its text lies in other pages')
    return hasText(html) ? refuse('not-article', 'no block of running text') : refuse('empty', 'the page shows no text')
  }
  const refusal = judgeBody(found.body)
  if (refusal !== null) return { refused: refusal }
  const title = found.title ?? signals.headings[0] ?? null
  return { title, blocks: withoutTop(found.body.blocks, title, signals), signals }
}

/** Deeper than this the library takes minutes, or overflows the stack; pages are some 30 deep. */
const DEEPEST = 200

/** The library changes the document as it reads it, and throws or overflows the stack on some pages: then the plain way is taken, on a fresh parse. */
function readArticle(document: DomDocument, html: string, base: string | null): { title: string | null; body: BodyBlocks } | null {
  try {
    if (isDeeperThan(DEEPEST, document)) return readPlainly(document, base)
    const article = new Readability<DomNode>(document, { serializer: (node: unknown) => node as DomNode }).parse()
    if (article?.content == null) return null
    return { title: collapse(article.title ?? '') || null, body: readBlocks(article.content, base) }
  } catch {
    return tryOr(() => readPlainly(parsePage(html), base), null)
  }
}

function readPlainly(document: DomDocument, base: string | null): { title: null; body: BodyBlocks } | null {
  const body = collectParagraphs(document, base)
  return body === null ? null : { title: null, body }
}

function baseOf(document: DomDocument, address: string | null): string | null {
  const base = document.querySelector('base[href]')?.getAttribute('href') ?? ''
  const resolved = URL.canParse(base, address ?? undefined) ? new URL(base, address ?? undefined) : null
  return resolved !== null && /^https?:$/.test(resolved.protocol) && base !== '' ? resolved.href : address
}

function hasText(html: string): boolean {
  const body = tryOr(() => readBlocks(parsePage(html).body, null), null)
  return body === null || body.blocks.length > 0
}

function tryOr<T, F>(attempt: () => T, otherwise: F): T | F {
  try {
    return attempt()
  } catch {
    return otherwise
  }
}
