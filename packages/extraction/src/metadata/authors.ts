import { firstOf, type Facts, type Rule } from './facts.ts'
import { textsOf } from './json-ld.ts'

/** Where the authors are chosen: the first rule that gives a name wins. */
const RULES: readonly Rule<string[]>[] = [
  { name: 'json-ld', find: ({ article }) => namesIn(textsOf(article['author'])) },
  {
    name: 'meta',
    find: ({ metas }) =>
      namesIn(
        metas('author', 'article:author', 'og:article:author', 'parsely-author', 'sailthru.author', 'dc.creator', 'dcterms.creator', 'byl'),
      ),
  },
  { name: 'byline', find: ({ page }) => namesIn(page.signals.bylines.slice(0, 1)) ?? namesIn(page.signals.bylines) },
  { name: 'hint', find: ({ page }) => namesIn(textsOf(page.capture.hints?.author)) },
]

const MAX_AUTHORS = 20
const LONGEST_NAME = 80
/** A text longer than this is no list of names. */
const LONGEST_TEXT = 1000

/** Words before a name; written large they are no name themselves. */
const BEFORE = /^(?:(?:written|story|reported|words|text)\s+by|by|von|par|por|di|door|av|author|autor|auteur|文|記者|글)[\s:：]+/iu

/** Between two names. */
const BETWEEN = /\s*(?:[,;|、，/]|\s(?:and|und|et|y|e|en|och|&|with)\s)\s*/iu

/** Pages give a profile's address in a name's place, and mail addresses beside it. */
const ADDRESS = /https?:\S+|www\.\S+|\S+@\S+|@\w+/giu

/** What a byline line holds beside names: dates, times, buttons. */
const NO_NAME = /\d|\b(?:minutes?|hours?|days?)\s+(?:ago|read)\b|\b(?:updated|published|posted|follow|share)\b/iu

/** Chooses the authors' names; null where the page names none. */
export function findAuthors(facts: Facts): { value: string[]; rule: string } | null {
  return firstOf(RULES, facts)
}

function namesIn(texts: readonly string[]): string[] | null {
  const names = new Map<string, string>()
  for (const text of texts.slice(0, MAX_AUTHORS)) {
    for (const part of text.slice(0, LONGEST_TEXT).replace(ADDRESS, ' ').split(BETWEEN)) {
      const name = part
        .replace(/\s+/g, ' ')
        .trim()
        .replace(BEFORE, '')
        .replace(/[\s.,:·–—-]+$/u, '')
      if (name.length > 1 && name.length <= LONGEST_NAME && !NO_NAME.test(name) && /\p{L}/u.test(name)) names.set(name.toLowerCase(), name)
    }
  }
  return names.size === 0 ? null : [...names.values()].slice(0, MAX_AUTHORS)
}
