import type { FetchedPage, Hints } from '@copydesk/contracts'

/** Bytes in hand as the page that clean reads: nothing was fetched, so there is no head, and the time is that of their intake. */
export function bytesPage(given: {
  body: Uint8Array
  url: string | null
  contentType: string | null
  at: Date
  hints?: Hints
}): FetchedPage {
  const { body, url, contentType, at, hints } = given
  const capture = {
    source: 'bytes' as const,
    requestedUrl: url,
    url,
    chain: [],
    fetchedAt: at.toISOString(),
    status: null,
    contentType,
    contentEncoding: [],
    robotsTag: null,
    etag: null,
    lastModified: null,
    cut: false,
    bytes: body.length,
    ...(hints && { hints }),
  }
  return { capture, head: null, body }
}
