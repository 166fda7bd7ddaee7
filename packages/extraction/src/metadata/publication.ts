import { firstOf, firstText, type Facts, type Rule } from './facts.ts'
import { textsOf } from './json-ld.ts'

const LONGEST_DESCRIPTION = 1000
const MAX_TAGS = 50

const DESCRIPTION: readonly Rule<string>[] = [
  { name: 'json-ld', find: ({ article }) => short(textsOf(article['description'])[0]) },
  { name: 'meta', find: ({ metas }) => short(metas('og:description', 'description', 'twitter:description', 'dc.description')[0]) },
]

const PUBLISHER: readonly Rule<string>[] = [
  { name: 'json-ld', find: ({ article }) => firstText(textsOf(article['publisher'])[0]) },
  { name: 'meta', find: ({ metas }) => firstText(metas('og:site_name', 'dc.publisher', 'application-name')[0]) },
]

const SECTION: readonly Rule<string>[] = [
  { name: 'json-ld', find: ({ article }) => firstText(textsOf(article['articleSection'])[0]) },
  { name: 'meta', find: ({ metas }) => firstText(metas('article:section', 'parsely-section', 'section')[0]) },
]

const TAGS: readonly Rule<string[]>[] = [
  { name: 'json-ld', find: ({ article }) => tagsIn(textsOf(article['keywords'])) },
  { name: 'meta', find: ({ metas }) => tagsIn(metas('article:tag', 'news_keywords', 'parsely-tags', 'keywords')) },
  { name: 'hint', find: ({ page }) => tagsIn(page.capture.hints?.tags ?? []) },
]

/** Chooses what the page says of the article's place: description, publisher, section and tags. */
export function findPublication(facts: Facts): {
  description: { value: string; rule: string } | null
  publisher: { value: string; rule: string } | null
  section: { value: string; rule: string } | null
  tags: { value: string[]; rule: string } | null
} {
  return {
    description: firstOf(DESCRIPTION, facts),
    publisher: firstOf(PUBLISHER, facts),
    section: firstOf(SECTION, facts),
    tags: firstOf(TAGS, facts),
  }
}

function short(text: string | undefined): string | null {
  return firstText(text)?.slice(0, LONGEST_DESCRIPTION) ?? null
}

/** Lists come as lists, or as one text with commas. */
function tagsIn(texts: readonly string[]): string[] | null {
  const tags = texts
    .flatMap((text) => text.split(/[,;、，]/))
    .map((tag) => tag.replace(/\s+/g, ' ').trim())
    .filter((tag) => tag !== '' && tag.length <= 100)
  return tags.length === 0 ? null : [...new Set(tags)].slice(0, MAX_TAGS)
}
