import { createHash } from 'node:crypto'
import { articleId, articleKey } from '@copydesk/url'

/** The address of a URL in the URL ledger: the digest of its articleKey; null where there is none. */
export function urlDigest(url: string | null): string | null {
  return url === null ? null : articleId(articleKey(url))
}

/** What holds back a second run of the same fetch: the URL's articleKey. */
export function fetchKey(url: string): string {
  return `u${articleId(articleKey(url))}`
}

/** What holds back a second run over the same bytes: their address, or none, and their hash. They never hold an articleKey. */
export function bytesKey(url: string | null, bytes: Uint8Array): string {
  const hash = createHash('sha256')
  if (url !== null) hash.update(articleKey(url))
  return `b${hash.update('\n').update(createHash('sha256').update(bytes).digest()).digest('base64url').slice(0, 22)}`
}
