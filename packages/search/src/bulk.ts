import type { ArticleId } from '@copydesk/contracts'
import { failpoint } from '@copydesk/pipeline'
import type { Client, estypes } from '@elastic/elasticsearch'
import { WORK_TIMEOUT } from './client.ts'
import type { ArticleDocument } from './document.ts'
import { type Fault, losesAnswer, requestFault } from './faults.ts'

/** One document to write, if nothing was written to it since it was looked at. */
export interface Write {
  articleId: ArticleId
  /** The write alias of its home month. */
  alias: string
  /** The looked-at version + 1. */
  version: number
  document: ArticleDocument
}

/** `conflict`: written by another since the look, `version` being the current one; `no-partition`: its alias is missing; `lost`: written or not, the answer did not come back; `rejected`: the document itself is at fault; `unavailable`: anything else. */
export type WriteResult =
  | { state: 'written' | 'no-partition' }
  | { state: 'conflict'; version?: number }
  | { state: 'lost' | 'rejected' | 'unavailable'; fault: Fault }

/** Writes documents by one bulk request; a result for each, in order. Never throws. */
export async function sendBulk(client: Client, writes: readonly Write[]): Promise<WriteResult[]> {
  try {
    failpoint('bulk', 'before')
    const { items } = await client.bulk(
      {
        operations: writes.flatMap(({ alias, articleId, version, document }) => [
          { index: { _index: alias, _id: articleId, version, version_type: 'external' as const } },
          document,
        ]),
        require_alias: true,
        refresh: false,
        // Without it a refused document comes back whole, in the error.
        include_source_on_error: false,
        filter_path: ['items.*.status', 'items.*.error.type', 'items.*.error.reason', 'items.*.error.index'],
      },
      WORK_TIMEOUT,
    )
    failpoint('bulk', 'after')
    return writes.map((_, at) => classifyItem(items[at]?.index))
  } catch (error) {
    return onRequestFault(client, writes, requestFault(error))
  }
}

/** A request that is too large, or that the server can't read, is halved until the document at fault stands alone. */
async function onRequestFault(client: Client, writes: readonly Write[], fault: Fault): Promise<WriteResult[]> {
  const isOurs = fault.status === 413 || (fault.status === 400 && !NOT_THE_DOCUMENTS.has(fault.type))
  if (!isOurs) return writes.map(() => ({ state: losesAnswer(fault) ? 'lost' : 'unavailable', fault }))
  if (writes.length === 1) return [{ state: 'rejected', fault }]
  const half = Math.ceil(writes.length / 2)
  return [...(await sendBulk(client, writes.slice(0, half))), ...(await sendBulk(client, writes.slice(half)))]
}

/** Answered with 400, and yet for the operator to mend. */
const NOT_THE_DOCUMENTS = new Set(['media_type_header_exception', 'index_closed_exception', 'validation_exception'])

/** What one item of the answer comes to. */
export function classifyItem(item: estypes.BulkResponseItem | undefined): WriteResult {
  if (item === undefined) return { state: 'unavailable', fault: { status: 0, type: 'no answer for the document' } }
  const { status, error } = item
  if (status === 200 || status === 201) return { state: 'written' }
  const type = error?.type ?? 'unknown'
  if (status === 409) return { state: 'conflict', ...currentVersion(error?.reason) }
  if (status === 404 && type === 'index_not_found_exception') return { state: 'no-partition' }
  const isDocuments = status === 400 && !NOT_THE_DOCUMENTS.has(type) && !isAliases(type, error?.reason)
  const fault = { status, type: withField(type, error?.reason), ...(typeof error?.index === 'string' && { index: error.index }) }
  return { state: isDocuments ? 'rejected' : 'unavailable', fault }
}

/** `[id]: version conflict, current version [6] is higher or equal to the one provided [1]`. */
function currentVersion(reason: string | null | undefined): { version?: number } {
  const version = /: version conflict, current version \[(\d{1,15})\]/.exec(reason ?? '')?.[1]
  return version === undefined ? {} : { version: Number(version) }
}

/** An alias that writes nowhere comes as an illegal argument. Only the reason's first words are the server's own: behind them it may quote the article. */
function isAliases(type: string, reason: string | null | undefined): boolean {
  return type === 'illegal_argument_exception' && (reason ?? '').startsWith('no write index is defined for alias [')
}

/** Adds the field's name, and nothing else of the reason, which quotes the value. */
function withField(type: string, reason: string | null | undefined): string {
  const field = /field(?: \[|=")([A-Za-z.]{1,60})["\]]/.exec(reason ?? '')?.[1]
  return field === undefined ? type : `${type} at ${field}`
}
