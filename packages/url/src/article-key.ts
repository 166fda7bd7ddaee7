import { withoutFinalDot } from './host.ts'
import { parseUrl } from './parse-url.ts'
import { isTrackingParameter, parameters } from './tracking-parameters.ts'
import { UrlError } from './url-error.ts'

/** Three times the longest address that is fetched: what an address can grow to when every character is written as %XX. So a key never fails where fetchUrl did not. */
const MAX_KEY_LENGTH = 3 * 4096

/**
 * The address as an identity: two that differ only in spelling, scheme, `www.` or tracking have one key; two that may show different
 * articles never do. It is a URL itself, and its own key. Changing it changes the id of every article. Throws UrlError as fetchUrl does,
 * but only beyond 12,288 characters.
 */
export function articleKey(url: string): string {
  const parsed = parseUrl(url)
  const key = origin(parsed) + path(parsed.pathname) + query(parsed.search.slice(1)) + fragment(parsed.hash)
  if (key.length > MAX_KEY_LENGTH) {
    throw new UrlError('too-long', `the URL's key has ${key.length} characters; at most ${MAX_KEY_LENGTH} are taken: shorten its query`)
  }
  return key
}

function origin({ protocol, hostname, port }: URL): string {
  const named = withoutFinalDot(hostname)
  const rest = /^www\.(?!www\.)([^.].*)$/.exec(named)?.[1]
  // `www.com` is a name of its own. No list of suffixes here: it changes, and keys must not.
  const host = rest?.includes('.') ? rest : named
  // Plain HTTP on 443 is not the site that https serves there.
  const scheme = protocol === 'http:' && port === '443' ? 'http:' : 'https:'
  return `${scheme}//${host}${port === '' ? '' : `:${port}`}`
}

function path(pathname: string): string {
  const collapsed = spelled(pathname)
    // A servlet's session. Not after a dot, in either spelling, or a dot segment would appear; nor with escapes, which no session id has.
    .replaceAll(/(?<=[^/.])(?<!%2e)(?:;jsessionid=[^;/%]*)+(?=[;/]|$)/gi, '')
    .replaceAll(/\/{2,}/g, '/')
  return collapsed.length > 1 && collapsed.endsWith('/') ? collapsed.slice(0, -1) : collapsed
}

function query(search: string): string {
  const kept = parameters(search)
    .map(spelled)
    .filter((parameter) => !isTrackingParameter(parameter))
    .map((parameter) => ({ name: parameter.split('=', 1)[0] ?? '', parameter }))
  // Stable: of a repeated parameter the order may matter.
  kept.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
  return kept.length === 0 ? '' : `?${kept.map(({ parameter }) => parameter).join('&')}`
}

/** Dropped, unless it is a `#!` route: sites built on those show every article under one path. */
function fragment(hash: string): string {
  return hash.startsWith('#!') && hash.length > 2 ? `#${spelled(hash.slice(1))}` : ''
}

/** One spelling (RFC 3986, 6.2.2): unreserved characters plain, escapes in upper case, what a URL has no place for escaped. Reserved characters keep their form: `%2F` is no `/`. */
function spelled(part: string): string {
  const escaped = part.replaceAll(/[[\]{}|\\^`"<>]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  // A stray `%` could form a new escape with what is decoded after it: `%%34%31` must not become `A`.
  const stray = /%(?![\da-f]{2})/i.test(escaped)
  return escaped.replaceAll(/%[\da-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return !stray && /[\w.~-]/.test(character) ? character : escape.toUpperCase()
  })
}
