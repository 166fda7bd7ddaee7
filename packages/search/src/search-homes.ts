import type { ArticleId } from '@copydesk/contracts'
import type { Client } from '@elastic/elasticsearch'
import { WORK_TIMEOUT } from './client.ts'
import { ALIAS_LOST, FaultError, FOREIGN_ALIAS, requestFault } from './faults.ts'
import { type Homes, partitionMonth, type SearchNames } from './names.ts'
import { hasPartitions, lostPartition } from './partitions.ts'
import { patiently } from './patience.ts'

/**
 * The home month of each article that lies in some partition; after a refresh, where told, those too that were written just now. All
 * partitions answer, or it throws a FaultError that names the one that doesn't, or what the client throws: a home not found would be
 * claimed anew, and the article doubled. Before the set-up nothing is found.
 */
export async function searchHomes(
  client: Client,
  names: SearchNames,
  articleIds: readonly ArticleId[],
  refresh: boolean,
  goesOn: () => boolean,
): Promise<Homes> {
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
