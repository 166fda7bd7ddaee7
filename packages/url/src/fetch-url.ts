import { MAX_URL_LENGTH } from '@copydesk/contracts'
import { parseUrl } from './parse-url.ts'
import { UrlError } from './url-error.ts'

/**
 * The address to ask for: the WHATWG form of `url` without its fragment, else untouched.
 * Throws UrlError on other schemes, userinfo, no host, and more than 4,096 characters.
 * Whether it may be fetched at all is the guard's affair.
 */
export function fetchUrl(url: string): string {
  const parsed = parseUrl(url)
  parsed.hash = ''
  if (parsed.href.length > MAX_URL_LENGTH) {
    throw new UrlError(
      'too-long',
      `the URL has ${parsed.href.length} characters, non-ASCII ones written out; at most ${MAX_URL_LENGTH} are taken: shorten its query`,
    )
  }
  return parsed.href
}
