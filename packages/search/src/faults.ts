import { errors } from '@elastic/elasticsearch'
import { RateLimitedError, RetryableError } from '@copydesk/pipeline'

/** A fault in a few words. Never the error itself: what the client throws and what the server answers carry parts of the article. */
export interface Fault {
  /** HTTP status of the request or item; 0 where none came. */
  status: number
  /** Elasticsearch's name for it, or what happened on the way. */
  type: string
  /** The index at fault, where the server names it. */
  index?: string
  /** What helps, where that can't be told from the rest. */
  cure?: string
}

/** Names for what no server names. */
export const PARTITION_LOST = 'partition not available'
export const FOREIGN_ALIAS = 'foreign alias'
export const FOREIGN_SERVER = 'the server does not call itself Elasticsearch'
export const FOREIGN_INDEX = 'foreign index'
export const ALIAS_LOST = 'alias missing'
export const SLOW = 'not written in time'
export const CONTENDED = 'others write the article all the time'

/** A fault that was found in an answer, to be treated as if the request had failed. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
  readonly fault: Fault
  constructor(fault: Fault) {
    super(explain(fault))
    this.fault = fault
  }
}

/** Whether an error says something about Elasticsearch. Anything else is a bug, or another system's. */
export function isSearchFault(error: unknown): boolean {
  return error instanceof FaultError || error instanceof errors.ElasticsearchClientError
}

/** What a request's failure comes to. */
export function requestFault(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault
  if (error instanceof errors.ResponseError) return responseFault(error)
  if (error instanceof errors.TimeoutError) return { status: 0, type: SILENT }
  if (error instanceof errors.ConnectionError) return connectionFault(error.message.slice(0, 200))
  if (error instanceof errors.ProductNotSupportedError) return { status: 0, type: FOREIGN_SERVER }
  // Its message quotes what the server sent.
  if (error instanceof errors.DeserializationError) return { status: 0, type: 'an answer that is no JSON' }
  return { status: 0, type: error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : 'unknown' }
}

const SILENT = 'no answer in time'
const BROKE = 'the connection broke: '

/** Nothing listens there, or nothing can be reached: asking again at once finds the same. */
const UNREACHABLE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|Connect Timeout/

function connectionFault(message: string): Fault {
  return { status: 0, type: (UNREACHABLE.test(message) ? 'no connection: ' : BROKE) + message }
}

function responseFault(error: errors.ResponseError): Fault {
  const body: unknown = error.body
  const inner = isObject(body) && isObject(body['error']) ? body['error'] : {}
  return {
    status: error.statusCode ?? 0,
    type: 'type' in inner ? String(inner['type']) : `HTTP ${error.statusCode}`,
    ...(typeof inner['index'] === 'string' && { index: inner['index'] }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Whether the same request may well succeed in a moment: overload, a gateway's fault, a connection that broke. A block, a refused connection, silence, and whatever an operator must mend don't pass by themselves. */
export function passes({ status, type }: Fault): boolean {
  if (type === 'cluster_block_exception' || type === PARTITION_LOST) return false
  return status === 429 || status === 502 || status === 503 || status === 504 || type.startsWith(BROKE)
}

/** Whether the request may have been carried out although it failed: its answer was lost, here or behind a gateway. */
export function losesAnswer({ status, type }: Fault): boolean {
  return status === 502 || status === 504 || type.startsWith(BROKE)
}

/** Not the document's fault: the job waits, 2 to 10 s unless told, with jitter so that all don't come back at once, and spends no attempt. */
export function searchUnavailable(fault: Fault, ms = 2_000 + Math.random() * 8_000): RateLimitedError {
  return new RateLimitedError('search-unavailable', ms, explain(fault))
}

/** A question that could not be answered. */
export function queryFailed(error: unknown): RetryableError {
  return new RetryableError('search-unavailable', explain(requestFault(error)))
}

/** A fault and its cure, in a sentence for an operator. */
export function explain({ status, type, index, cure }: Fault): string {
  const said = status === 0 ? type : `${status} ${type}`
  return `Elasticsearch can't be used now (${said}${index === undefined ? '' : ` in ${index}`}): ${cure ?? cureOf(status, type, index)}`
}

function cureOf(status: number, type: string, index = 'the index'): string {
  if (type === 'index_closed_exception')
    return `the partition ${index} is closed, and articles may lie in it: open it (POST ${index}/_open)`
  if (type === PARTITION_LOST)
    return `the partition ${index} does not answer, and articles may lie in it: see GET _cluster/allocation/explain`
  if (type === FOREIGN_ALIAS) return `the index ${index} carries an alias of Copydesk's and is no partition: take the alias off`
  if (type === ALIAS_LOST) return `partitions are there and the alias ${index} is not, so that articles can't be found: run the set-up`
  if (type === 'cluster_block_exception' && status !== 503) return 'writing is blocked, usually because its disk is full: free space there'
  if (type === 'media_type_header_exception') return 'it is older than version 9: update it'
  if (type === 'index_not_found_exception') return 'its indices are not set up: run the set-up, or wait for the scheduler'
  if (type === FOREIGN_SERVER)
    return 'ELASTICSEARCH_URL must name an Elasticsearch, and no proxy before it may take its header x-elastic-product away'
  if (type === CONTENDED) return 'nothing to do but wait'
  if (type === SLOW) return 'it writes too slowly for what comes in: give it more, or lower INDEX_CONCURRENCY'
  if (status === 401 || status === 403) return 'the user in ELASTICSEARCH_URL lacks the right: check user and password'
  if (status === 429 || status === 503) return 'it is overloaded or starting: nothing to do but wait, or give it more'
  if (status === 400) return 'it does not understand the request: check its version and its aliases'
  return 'check that it runs and that ELASTICSEARCH_URL names it'
}
