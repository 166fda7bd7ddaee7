import type { Scene } from './scene.ts'

/** What an oracle needs of a document. */
export interface StoredDocument {
  id: string
  url: string
  text: string
}

const PAGE_SIZE = 5000

/** The documents of a drill's pages, by page, in whatever partition they lie. */
export async function readDocuments({ rig, site }: Scene): Promise<Map<number, StoredDocument[]>> {
  const index = `${rig.alias}-all`
  if (!(await rig.client.indices.existsAlias({ name: index }))) return new Map()
  await rig.client.indices.refresh({ index })
  const documents = new Map<number, StoredDocument[]>()
  let after: unknown
  for (;;) {
    const { hits } = await rig.client.search<{ url: string; text: string }>({
      index,
      size: PAGE_SIZE,
      _source: ['url', 'text'],
      query: { prefix: { url: site.url(0).slice(0, -1) } },
      // Two of one article in two partitions share an id; both must be met.
      sort: [{ articleId: 'asc' }, { fetchedAt: 'asc' }],
      ...(after !== undefined && { search_after: after as never }),
    })
    for (const { _id, _source } of hits.hits) {
      const { url, text } = _source!
      const page = site.pageOf(url)
      if (page !== null) documents.set(page, [...(documents.get(page) ?? []), { id: _id!, url, text }])
    }
    if (hits.hits.length < PAGE_SIZE) return documents
    after = hits.hits.at(-1)!.sort
  }
}
