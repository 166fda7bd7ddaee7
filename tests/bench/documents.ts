import type { Client } from '@elastic/elasticsearch'

/** Documents asked for at once. */
const PAGE = 5000

/** By address, the text of each document that an index holds of it. */
export async function countDocuments(client: Client, index: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  await client.indices.refresh({ index })
  const { id } = await client.openPointInTime({ index, keep_alive: '1m' })
  for (let after: unknown[] | undefined; ;) {
    const { hits } = await client.search<{ url: string; text: string }>({
      pit: { id, keep_alive: '1m' },
      size: PAGE,
      sort: [{ _shard_doc: 'asc' }],
      _source: ['url', 'text'],
      ...(after && { search_after: after as (string | number)[] }),
    })
    for (const { _source: source } of hits.hits) if (source) found.set(source.url, [...(found.get(source.url) ?? []), source.text])
    after = hits.hits.at(-1)?.sort
    if (!after) break
  }
  await client.closePointInTime({ id })
  return found
}
