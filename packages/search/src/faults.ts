import { errors } from '@elastic/elasticsearch'
import { RateLimitedError, RetryableError } from '@copydesk/pipeline'

/** A fault in a few words. Never the error itself: what the client throws and what the server answers carry parts of the article. */
export interface Fault {
  /** HTTP status of the request or item; 0 where none came. */
  status: number
  /** Elasticsearch's name for it, or what happened on the way. */
  type: string
}

/** What a request's failure comes to. */
export function requestFault(error: unknown): Fault {
  if (error instanceof errors.ResponseError) return { status: error.statusCode ?? 0, type: responseType(error) }
  if (error instanceof errors.TimeoutError) return { status: 0, type: 'no answer in time' }
  if (error instanceof errors.ConnectionError) return { status: 0, type: `no connection: ${error.message.slice(0, 200)}` }
  if (error instanceof errors.ProductNotSupportedError) return { status: 0, type: 'the server is no Elasticsearch' }
  return { status: 0, type: error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : 'unknown' }
}

function responseType(error: errors.ResponseError): string {
  const body: unknown = error.body
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : null
  return typeof inner === 'object' && inner !== null && 'type' in inner ? String(inner.type) : `HTTP ${error.statusCode}`
}

/** Not the document's fault: the job waits 2 to 10 s, with jitter so that all don't come back at once, and spends no attempt. */
export function searchUnavailable(fault: Fault): RateLimitedError {
  return new RateLimitedError('search-unavailable', 2_000 + Math.random() * 8_000, explain(fault))
}

/** A question that could not be answered. */
export function queryFailed(error: unknown): RetryableError {
  return new RetryableError('search-unavailable', explain(requestFault(error)))
}

function explain({ status, type }: Fault): string {
  const said = status === 0 ? type : `${status} ${type}`
  return `Elasticsearch can't be used now (${said}): ${cure(status, type)}`
}

function cure(status: number, type: string): string {
  if (type === 'cluster_block_exception') return 'writing is blocked, usually because its disk is full: free space there'
  if (type === 'media_type_header_exception') return 'it is older than version 9: update it'
  if (type === 'index_not_found_exception') return 'its indices are not set up: run the set-up, or wait for the scheduler'
  if (status === 401 || status === 403) return 'the user in ELASTICSEARCH_URL lacks the right: check user and password'
  if (status === 429 || status === 503) return 'it is overloaded or starting: nothing to do but wait, or give it more'
  if (status === 400) return 'it does not understand the request: check its version and its aliases'
  return 'check that it runs and that ELASTICSEARCH_URL names it'
}
