import { blockText } from '@copydesk/contracts'
import { firstOf, firstText, type Facts, type Rule } from './facts.ts'
import { textsOf } from './json-ld.ts'

const LONGEST = 300

/** Where the title is chosen. The last rule always finds one: what readers see must have a line. */
const RULES: readonly Rule<string>[] = [
  { name: 'json-ld', find: (facts) => clean(textsOf(facts.article['headline'])[0], facts) },
  { name: 'meta', find: (facts) => clean(facts.metas('og:title', 'twitter:title', 'dc.title', 'dcterms.title')[0], facts) },
  { name: 'heading', find: (facts) => (facts.page.signals.headings.length === 1 ? clean(facts.page.signals.headings[0], facts) : null) },
  { name: 'body', find: (facts) => clean(facts.page.title, facts) },
  { name: 'title-element', find: (facts) => clean(facts.page.signals.title, facts) },
  { name: 'hint', find: ({ page }) => firstText(page.capture.hints?.title) },
  { name: 'first-words', find: ({ page }) => firstWords(page.blocks.map(blockText).find((text) => text !== null) ?? '') },
]

/** Chooses the title. */
export function findTitle(facts: Facts): { value: string; rule: string } {
  return firstOf(RULES, facts) ?? { value: '', rule: 'none' }
}

/** Takes the site's name off the end: "Headline | Site". */
function clean(title: string | null | undefined, facts: Facts): string | null {
  const text = firstText(title)?.replace(/\s+/g, ' ').slice(0, LONGEST)
  if (text === undefined) return null
  const sites = [...facts.metas('og:site_name'), ...textsOf(facts.article['publisher'])].map((site) => site.toLowerCase())
  const [, headline, site] = /^(.+?)\s+[|–—·:-]\s+([^|–—·]+)$/u.exec(text) ?? []
  return headline !== undefined && site !== undefined && sites.includes(site.trim().toLowerCase()) ? headline : text
}

function firstWords(text: string): string {
  const line = text.split('\n')[0] ?? ''
  return line.length <= 80 ? line : `${line.slice(0, 80).replace(/\s+\S*$/, '')}…`
}
