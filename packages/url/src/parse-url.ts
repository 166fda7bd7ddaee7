import { UrlError } from './url-error.ts'

/**
 * Reads an absolute http(s) address by the WHATWG rules, which also undo every odd spelling of an IP address.
 * Throws UrlError on anything else, userinfo and a missing host included.
 */
export function parseUrl(text: string): URL {
  const scheme = /^[\s\0-\x20]*([a-z][a-z\d+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) throw new UrlError('not-a-url', 'this is not a full URL: write it with https:// or http:// in front')
  if (scheme !== 'http' && scheme !== 'https') throw wrongScheme(scheme)
  // WHATWG would take `http:///a/b` for host `a`: nobody who writes that means it.
  if (/^[^:]*:[\\/]*([?#]|$)|^[^:]*:[\\/]{3}/.test(text.trim()))
    throw new UrlError('no-host', 'the URL names no host: write https://host/path')
  const url = URL.parse(text)
  if (url === null)
    throw new UrlError('not-a-url', 'this is not a valid URL: check its host name, its port, and characters that must be percent-encoded')
  if (url.username !== '' || url.password !== '') {
    throw new UrlError(
      'userinfo',
      'the URL carries a user name or password: remove everything before the @; pages behind a login are not fetched',
    )
  }
  return url
}

function wrongScheme(scheme: string): UrlError {
  // `example.org:8080/a` reads as a scheme with dots in it.
  if (scheme.includes('.') || scheme === 'localhost') {
    return new UrlError('not-a-url', 'this is not a full URL: write it with https:// or http:// in front')
  }
  // Unnamed: in `name:password@host` it is the name.
  return new UrlError('scheme', "the URL's scheme is neither http nor https, and nothing else is fetched: give the page's web address")
}
