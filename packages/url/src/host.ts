import { getDomain } from 'tldts'
import { parseUrl } from './parse-url.ts'

/** The host's name as the address has it: lower case, in punycode, without port or final dot. Throws UrlError. */
export function hostOf(url: string): string {
  return withoutFinalDot(parseUrl(url).hostname)
}

/** `example.org.` is `example.org`, spelled to the root. Two dots at the end are no such thing and stay. */
export function withoutFinalDot(hostname: string): string {
  return hostname.replace(/([^.])\.$/, '$1')
}

/**
 * The name that was registered with its owner: `example.co.uk` of `news.example.co.uk`. Hosting names count as suffixes,
 * so `a.github.io` and `b.github.io` differ. Null where there is none: IP addresses, single labels, no http(s) URL.
 */
export function registrableDomain(url: string): string | null {
  if (!URL.canParse(url)) return null
  return getDomain(withoutFinalDot(new URL(url).hostname), { allowPrivateDomains: true, extractHostname: false })
}

/** Whether both addresses belong to one owner: the same registrable domain, or, where there is none, the same host and port. */
export function sameSite(a: string, b: string): boolean {
  if (!URL.canParse(a) || !URL.canParse(b)) return false
  const domain = registrableDomain(a)
  if (domain !== null) return domain === registrableDomain(b)
  return new URL(a).host !== '' && new URL(a).host === new URL(b).host
}
