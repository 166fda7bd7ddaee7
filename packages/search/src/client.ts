import { Client } from '@elastic/elasticsearch'

const REQUEST_TIMEOUT_MS = 30_000
/** For the requests of indexing: an Elasticsearch that takes connections and never answers is found within this. A write that took longer is found by the next look. */
export const WORK_TIMEOUT = { requestTimeout: 10_000 }

/** A client for one address, user and password in it if there are any (`http://user:secret@host:9200`). It never repeats a request by itself: the client's own repeats have no back-off on 502–504. */
export function createSearchClient({ url }: { url: string }): Client {
  const { protocol, host, pathname, username, password } = new URL(url)
  return new Client({
    node: `${protocol}//${host}${pathname}`,
    ...(username !== '' && { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    maxRetries: 0,
    sniffOnStart: false,
    sniffOnConnectionFault: false,
    opaqueIdPrefix: 'copydesk::',
    // The client's errors carry the whole request: articles, and the password.
    redaction: { type: 'remove' },
  })
}
