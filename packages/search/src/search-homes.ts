import type { ArticleId } from '@copydesk/contracts'
import type { Client } from '@elastic/elasticsearch'
import { WORK_TIMEOUT } from './client.ts'
import { ALIAS_LOST, FaultError, FOREIGN_ALIAS, requestFault } from './faults.ts'
import { type Homes, partitionMonth, type SearchNames } from './names.ts'
import { hasPartitions, lostPartition } from './partitions.ts'
import { type GoesOn, patiently } from './patience.ts'

/**
 * A search for the home months of articles, over all partitions. Each one answers, or the search throws a FaultError that names the one
 * that doesn't, or what the client throws: a home not found would be claimed anew, and the article doubled. Before the set-up nothing is
 * found. It refreshes at the first call and whenever `isChanged` says that remembered homes may be lost: else a search is blind to what
 * was written just now. A refresh that failed, or could not reach a partition, is made again at the next call.
 */
export function createHomeSearch(client: Client, names: SearchNames, goesOn: GoesOn) {
  // Counted, not flagged: a refresh that one batch began before a change must not count for the change that another batch saw.
  let changes = 1
  let refreshedAfter = 0
  return async (articleIds: readonly ArticleId[], isChanged: boolean): Promise<Homes> => {
    if (isChanged) changes += 1
    const seen = changes
    const homes = await searchHomes(client, names, articleIds, refreshedAfter < seen, goesOn)
    refreshedAfter = Math.max(refreshedAfter, seen)
    return homes
  }
}

async function searchHomes(
  client: Client,
  names: SearchNames,
  articleIds: readonly ArticleId[],
  refresh: boolean,
  goesOn: GoesOn,
): Promise<Homes> {
  if (articleIds.length === 0) return new Map()
  try {
    if (refresh) await patiently(() => refreshAll(client, names), goesOn)
    return await patiently(() => ask(client, names, articleIds), goesOn)
  } catch (error) {
    const { status, type } = requestFault(error)
    if (type === 'index_not_found_exception') {
      if (await hasPartitions(client, names)) throw new FaultError({ status, type: ALIAS_LOST, index: names.all })
      return new Map()
    }
    const lost = status === 503 ? await lostPartition(client, names.partitions, WORK_TIMEOUT.requestTimeout) : null
    throw lost === null ? error : new FaultError(lost)
  }
}

async function refreshAll(client: Client, names: SearchNames): Promise<void> {
  // A refresh would wait for a lost partition for a minute.
  const lost = await lostPartition(client, names.partitions, WORK_TIMEOUT.requestTimeout)
  if (lost !== null) throw new FaultError(lost)
  const { _shards: shards } = await client.indices.refresh({ index: names.all }, WORK_TIMEOUT)
  if (shards !== undefined && shards.failed > 0) throw new FaultError({ status: 503, type: 'a refresh failed' })
}

async function ask(client: Client, names: SearchNames, articleIds: readonly ArticleId[]): Promise<Homes> {
  const answer = await client.search(
    {
      index: names.all,
      allow_partial_search_results: false,
      query: { ids: { values: [...articleIds] } },
      // Room for an article that lies in two months by mistake, so that no other one is cut off.
      size: articleIds.length * 2,
      _source: false,
      track_total_hits: false,
      filter_path: ['hits.hits._index', 'hits.hits._id'],
    },
    WORK_TIMEOUT,
  )
  const homes: Homes = new Map()
  for (const hit of answer.hits?.hits ?? []) {
    const articleId = hit._id as ArticleId
    const month = partitionMonth(hit._index)
    if (month === null) throw new FaultError({ status: 200, type: FOREIGN_ALIAS, index: hit._index })
    const other = homes.get(articleId)
    homes.set(articleId, other !== undefined && other < month ? other : month)
  }
  return homes
}
