import type { CleanedPage } from '@copydesk/contracts'
import { readJsonLd, type JsonObject } from './json-ld.ts'

/** What every rule reads from: the cleaned page, and its JSON-LD and meta tags made easy to ask. */
export interface Facts {
  page: CleanedPage
  /** The page's article in JSON-LD; empty where it has none. */
  article: JsonObject
  /** Values of the first of these meta names that the page has, in the page's order. */
  metas: (...names: string[]) => string[]
}

/** Reads a cleaned page's facts, once. */
export function readFacts(page: CleanedPage): Facts {
  return {
    page,
    article: readJsonLd(page.signals.jsonLd),
    metas: (...names) => {
      for (const name of names) {
        const found = page.signals.metas.filter((meta) => meta.name === name).map((meta) => meta.content)
        if (found.length > 0) return found
      }
      return []
    },
  }
}

/** One way to find a field. The name is kept in the article's `fields` when it wins. */
export interface Rule<Value> {
  name: string
  find(facts: Facts): Value | null
}

/** Takes the first rule that finds something: a field's rules stand in one list, best first. */
export function firstOf<Value>(rules: readonly Rule<Value>[], facts: Facts): { value: Value; rule: string } | null {
  for (const rule of rules) {
    const value = rule.find(facts)
    if (value !== null) return { value, rule: rule.name }
  }
  return null
}

/** The first of the texts that is not empty, trimmed; null where none is. */
export function firstText(...texts: (string | null | undefined)[]): string | null {
  for (const text of texts) {
    const trimmed = text?.trim()
    if (trimmed !== undefined && trimmed !== '') return trimmed
  }
  return null
}
