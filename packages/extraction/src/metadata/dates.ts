import type { ArticleDate } from '@copydesk/contracts'
import type { Facts } from './facts.ts'
import { textsOf } from './json-ld.ts'
import { parseDate, type ParsedDate } from './parse-date.ts'

const DAY_MS = 86_400_000

interface DateRule {
  source: ArticleDate['source']
  confidence: number
  /** The texts that may be the date, best first. */
  texts: (facts: Facts) => string[]
}

/** Where the published date is chosen: the first of these that gives a possible date wins. Never a modified date. */
const PUBLISHED: readonly DateRule[] = [
  { source: 'json-ld', confidence: 0.95, texts: ({ article }) => textsOf(article['datePublished']) },
  { source: 'meta', confidence: 0.9, texts: ({ metas }) => metas(...PUBLISHED_METAS) },
  { source: 'time-element', confidence: 0.85, texts: (facts) => times(facts, (itemprop) => itemprop === 'datepublished') },
  {
    source: 'time-element',
    confidence: 0.75,
    texts: (facts) => times(facts, (itemprop, text) => itemprop !== 'datemodified' && !UPDATED.test(text)),
  },
  { source: 'url', confidence: 0.7, texts: ({ page }) => datesInUrl(page.capture.url) },
  { source: 'text', confidence: 0.6, texts: ({ page }) => page.signals.dateTexts.filter((text) => !UPDATED.test(text)).map(withoutLabel) },
  { source: 'json-ld', confidence: 0.5, texts: ({ article }) => textsOf(article['dateCreated']) },
  { source: 'hint', confidence: 0.5, texts: ({ page }) => textsOf(page.capture.hints?.published) },
]

/** Where the modified date is chosen, by the same rule. */
const MODIFIED: readonly DateRule[] = [
  { source: 'json-ld', confidence: 0.95, texts: ({ article }) => textsOf(article['dateModified']) },
  { source: 'meta', confidence: 0.9, texts: ({ metas }) => metas(...MODIFIED_METAS) },
  {
    source: 'time-element',
    confidence: 0.8,
    texts: (facts) => times(facts, (itemprop, text) => itemprop === 'datemodified' || UPDATED.test(text)),
  },
  { source: 'text', confidence: 0.6, texts: ({ page }) => page.signals.dateTexts.filter((text) => UPDATED.test(text)).map(withoutLabel) },
]

const PUBLISHED_METAS = [
  'article:published_time',
  'og:article:published_time',
  'og:published_time',
  'article:published',
  'datepublished',
  'publication_date',
  'publish-date',
  'publishdate',
  'publish_date',
  'pubdate',
  'published_time',
  'parsely-pub-date',
  'sailthru.date',
  'cxenseparse:recs:publishtime',
  'citation_publication_date',
  'dcterms.issued',
  'dc.date.issued',
  'dcterms.created',
  'dc.date.created',
  'dcterms.date',
  'dc.date',
  'date',
]
const MODIFIED_METAS = [
  'article:modified_time',
  'og:article:modified_time',
  'og:updated_time',
  'article:modified',
  'datemodified',
  'modified_time',
  'last-modified',
  'lastmod',
  'dcterms.modified',
  'dc.date.modified',
]

// Not \b, which knows no letters but those of ASCII.
const UPDATED =
  /(?<!\p{L})(?:updated?|modified|revised|corrected|aktualisiert|geändert|mis à jour|modifié|actualizado|atualizado|aggiornato|bijgewerkt)(?!\p{L})|更新|수정|обновлено/iu
const LABEL =
  /^(?:(?:first |last )?(?:published|updated|posted|modified)|date|on|veröffentlicht|erschienen|stand|publié|publicado|pubblicato|aktualisiert|geändert|mis à jour|modifié|actualizado|aggiornato|公開|更新|発行|掲載)[\s:：]*(?:on|at|am|vom|le|el|il)?\s*/iu

/** Chooses both dates. `rule` names the winner for the article's `fields`. */
export function findDates(facts: Facts): Record<'published' | 'modified', { value: ArticleDate; rule: string } | null> {
  const published = choose(PUBLISHED, facts)
  const modified = choose(MODIFIED, facts)
  // A change before the first publication is a mistake on the page.
  const isPossible = published === null || modified === null || modified.value.date >= published.value.date
  return { published, modified: isPossible ? modified : null }
}

function choose(rules: readonly DateRule[], facts: Facts): { value: ArticleDate; rule: string } | null {
  const latest = Date.parse(facts.page.capture.fetchedAt) + DAY_MS
  for (const { source, confidence, texts } of rules) {
    const parsed = texts(facts)
      .map(parseDate)
      .find((date): date is ParsedDate => date !== null && Date.parse(date.at) <= latest)
    if (parsed !== undefined) return { value: { ...parsed, source, confidence }, rule: source }
  }
  return null
}

function times({ page }: Facts, wanted: (itemprop: string, text: string) => boolean): string[] {
  return page.signals.times
    .filter((time) => wanted(time.itemprop?.toLowerCase() ?? '', time.text))
    .flatMap((time) => [time.datetime, withoutLabel(time.text)])
}

/** /2024/03/07/ and /2024-03-07- in the address of a page. */
function datesInUrl(url: string | null): string[] {
  const found =
    url === null ? null : /\/(?:19|20)\d{2}([/-])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?=[/-]|$)/.exec(new URL(url).pathname)
  return found === null ? [] : [found[0].slice(1).replaceAll('/', '-')]
}

function withoutLabel(text: string): string {
  return text.replace(LABEL, '')
}
