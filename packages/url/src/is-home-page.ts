import { parseUrl } from './parse-url.ts'
import { isTrackingParameter, parameters } from './tracking-parameters.ts'

/**
 * Whether the address is a site's front page, of one of its languages too: never an article's own address.
 * A query that is more than tracking makes it another page (`/?p=123`). False for what is no http(s) URL.
 */
export function isHomePage(url: string): boolean {
  if (!/^\s*https?:/i.test(url) || !URL.canParse(url)) return false
  const { pathname, search, hash } = parseUrl(withoutUserinfo(url))
  if (hash.startsWith('#!') && hash.length > 2) return false
  if (parameters(search.slice(1)).some((parameter) => !isTrackingParameter(parameter))) return false
  return /^\/*$|^\/+(?:[a-z]{2}(?:-[a-z]{2})?\/*)?(?:(?:index|default|home)(?:\.[a-z]{3,5})?\/*)?$/i.test(pathname)
}

function withoutUserinfo(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
