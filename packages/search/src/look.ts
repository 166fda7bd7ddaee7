import type { ArticleId } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import type { Client, estypes } from '@elastic/elasticsearch'
import { WORK_TIMEOUT } from './client.ts'
import { RetractedArticle, StoredArticle } from './document.ts'
import { FaultError } from './faults.ts'
import type { Homes, SearchNames } from './names.ts'

/** What is stored of an article at this moment, and the version that a write must follow. */
export interface Look {
  /** 0 where nothing is stored. */
  version: number
  stored: StoredArticle | RetractedArticle | null
  /** What is stored is no article's document, and is left alone. */
  error?: PermanentError
}

export interface Looks {
  byArticle: Map<ArticleId, Look>
  /** The months whose partition is missing. */
  missing: string[]
}

const FIELDS = Object.keys(StoredArticle.shape)

/** Looks articles up in their home months, in real time (a search would be blind to the last seconds). Throws what the client throws, or a FaultError. */
export async function look(client: Client, names: SearchNames, homes: Homes): Promise<Looks> {
  const ids = [...homes.keys()]
  const byArticle = new Map<ArticleId, Look>()
  const missing = new Set<string>()
  if (ids.length === 0) return { byArticle, missing: [] }
  const { docs } = await client.mget(
    { docs: ids.map((id) => ({ _index: names.write(homes.get(id)!), _id: id })), _source_includes: FIELDS },
    WORK_TIMEOUT,
  )
  for (const [at, id] of ids.entries()) {
    const doc = docs[at]!
    byArticle.set(id, NOTHING)
    if ('error' in doc) {
      if (doc.error.type !== 'index_not_found_exception') throw new FaultError(itemFault(doc.error))
      missing.add(homes.get(id)!)
    } else if (doc.found) byArticle.set(id, toLook(doc))
  }
  return { byArticle, missing: [...missing] }
}

const NOTHING: Look = { version: 0, stored: null }

function toLook({ _index, _source, _version: version = 0 }: estypes.GetGetResult): Look {
  const stored = StoredArticle.safeParse(_source)
  if (stored.success) return { version, stored: stored.data }
  const retracted = RetractedArticle.safeParse(_source)
  if (retracted.success) return { version, stored: retracted.data }
  const at = stored.error.issues[0]?.path.join('.') ?? ''
  const message = `what ${_index} holds under the article's id is no document of Copydesk's (at ${at}): delete it there`
  return { version, stored: null, error: new PermanentError('search-rejected', message) }
}

/** Of one document's error: without its reason, which may quote. */
function itemFault({ type, index }: estypes.ErrorCause) {
  return { status: STATUS[type] ?? 503, type, ...(typeof index === 'string' && { index }) }
}

/** An item of a look carries no status of its own. */
const STATUS: Record<string, number> = { index_closed_exception: 400, security_exception: 403, illegal_argument_exception: 400 }
