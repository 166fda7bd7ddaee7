import { detectLanguage } from './detect-language.ts'
import { firstOf, type Facts, type Rule } from './facts.ts'
import { textsOf } from './json-ld.ts'

/** Where the language is chosen: what the page says, then its source, then a guess from the text. */
function rules(text: string): readonly Rule<string>[] {
  return [
    { name: 'html-lang', find: ({ page }) => tagOf(page.signals.htmlLang) },
    {
      name: 'meta',
      find: ({ metas }) => tagOf(metas('content-language', 'inlanguage', 'dc.language', 'dcterms.language', 'og:locale')[0]),
    },
    {
      name: 'json-ld',
      find: ({ article }) => tagOf(textsOf(article['inLanguage'], 'alternateName')[0] ?? textsOf(article['inLanguage'])[0]),
    },
    { name: 'hint', find: ({ page }) => tagOf(page.capture.hints?.language) },
    { name: 'text', find: () => detectLanguage(text) },
  ]
}

/** Chooses the language, as a BCP 47 tag; null where nothing names it and the text does not give it away. */
export function findLanguage(facts: Facts, text: string): { value: string; rule: string } | null {
  return firstOf(rules(text), facts)
}

function tagOf(value: string | null | undefined): string | null {
  const tag = value?.split(/[,;]/)[0]?.trim().replaceAll('_', '-') ?? ''
  if (!/^[a-z]{2,3}(?:-[a-z\d]{2,8})*$/i.test(tag)) return null
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}
