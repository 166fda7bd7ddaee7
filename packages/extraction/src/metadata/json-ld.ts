export type JsonObject = { readonly [name: string]: unknown }

/** schema.org's kinds of article, and what sites use in their place. */
const ARTICLE_TYPE = /(?:Article|BlogPosting|Report|SocialMediaPosting|Review)$/

/** Objects looked at on one page at most: graphs can point in circles. */
const MAX_OBJECTS = 500

/**
 * Finds the page's article in its JSON-LD scripts, wherever it stands: alone, in a list, in `@graph`, as another thing's mainEntity.
 * Broken JSON is left out. References (`{"@id"}`) to other objects are put in their place. An empty object where there is none.
 */
export function readJsonLd(scripts: readonly string[]): JsonObject {
  const objects = scripts.flatMap((script) => flatten(parse(script))).slice(0, MAX_OBJECTS)
  const article = objects.find((object) => listOf(object['@type']).some((type) => typeof type === 'string' && ARTICLE_TYPE.test(type)))
  if (article === undefined) return {}
  const byId = new Map(objects.filter((object) => Object.keys(object).length > 1).map((object) => [object['@id'], object]))
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    return isObject(value) && Object.keys(value).length === 1 ? (byId.get(value['@id']) ?? value) : value
  }
  return Object.fromEntries(Object.entries(article).map(([name, value]) => [name, resolve(value)]))
}

/** A value's texts: strings as they are, objects by their `name` (or `url`, where asked), lists item by item. */
export function textsOf(value: unknown, property = 'name'): string[] {
  return listOf(value).flatMap((item) => {
    const text = isObject(item) ? item[property] : item
    if (Array.isArray(text)) return textsOf(text, property)
    return typeof text === 'string' && text.trim() !== '' ? [unescape(text)] : []
  })
}

/** A number, written as one or as text; null for all else. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' ? Number.parseInt(value, 10) : value
  return typeof number === 'number' && Number.isInteger(number) && number > 0 ? number : null
}

export function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(script: string): unknown {
  const json = script
    .trim()
    .replace(/^(?:<!--|\/\*\s*<!\[CDATA\[\s*\*\/|<!\[CDATA\[)/, '')
    .replace(/(?:-->|\/\*\s*\]\]>\s*\*\/|\]\]>)$/, '')
    .replace(/;\s*$/, '')
  // Line breaks inside strings are the commonest fault; JSON has no other use for control characters but white space.
  for (const attempt of [json, json.replace(/\p{Cc}+/gu, ' ')]) {
    try {
      return JSON.parse(attempt) as unknown
    } catch {
      // The next attempt, or none: the page is read without it.
    }
  }
  return null
}

/** All objects that can hold an article, outer ones first. */
function flatten(value: unknown, depth = 0): JsonObject[] {
  if (depth > 5) return []
  if (Array.isArray(value)) return value.slice(0, MAX_OBJECTS).flatMap((item) => flatten(item, depth + 1))
  if (!isObject(value)) return []
  const inner = ['@graph', 'mainEntity', 'mainEntityOfPage', 'author', 'publisher', 'image'].flatMap((name) =>
    flatten(value[name], depth + 1),
  )
  return [value, ...inner]
}

/** Some sites escape their JSON-LD as if it were HTML. */
function unescape(text: string): string {
  const named: Record<string, string> = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>', nbsp: ' ' }
  return text
    .replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|(amp|quot|apos|lt|gt|nbsp));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return named[name.toLowerCase()] ?? whole
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole
    })
    .replace(/\s+/g, ' ')
    .trim()
}
