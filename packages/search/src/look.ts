import type { ArticleId } from '@copydesk/contracts'
import type { Client } from '@elastic/elasticsearch'
import { StoredArticle } from './document.ts'
import type { Homes, SearchNames } from './names.ts'
import { ensurePartition } from './setup.ts'

/** What is stored of an article at this moment, and the version that a write must follow. */
export interface Look {
  /** 0 where nothing is stored. */
  version: number
  stored: StoredArticle | null
}

const FIELDS = Object.keys(StoredArticle.shape)

/** Looks articles up in their home months, in real time (a search would be blind to the last seconds). Makes a home's partition where it is missing. Throws what the client throws, or an Error. */
export async function look(client: Client, names: SearchNames, homes: Homes): Promise<Map<ArticleId, Look>> {
  const ids = [...homes.keys()]
  const { docs } = await client.mget({
    docs: ids.map((id) => ({ _index: names.write(homes.get(id)!), _id: id })),
    _source_includes: FIELDS,
  })
  const looks = new Map<ArticleId, Look>()
  const missing = new Set<string>()
  for (const [at, id] of ids.entries()) {
    const doc = docs[at]!
    looks.set(id, { version: 0, stored: null })
    if ('error' in doc) {
      if (doc.error.type !== 'index_not_found_exception') throw new Error(`look: ${doc.error.type}`)
      missing.add(homes.get(id)!)
    } else if (doc.found) looks.set(id, { version: doc._version!, stored: StoredArticle.parse(doc._source) })
  }
  for (const month of missing) await ensurePartition(client, month, names)
  return looks
}
