import type { Rig } from './system.ts'

/** A document as it was copied, with all that is needed to put it back as it was. */
interface Copied {
  index: string
  id: string
  version: number
  source: Record<string, unknown>
}

const AT_ONCE = 1000

/** Copies every document of every partition. */
export async function copyIndex({ client, alias }: Rig): Promise<Copied[]> {
  const index = `${alias}-all`
  await client.indices.refresh({ index })
  const copy: Copied[] = []
  for (let after: unknown; ;) {
    const { hits } = await client.search<Record<string, unknown>>({
      index,
      size: AT_ONCE,
      version: true,
      sort: [{ articleId: 'asc' }],
      ...(after !== undefined && { search_after: after as never }),
    })
    copy.push(...hits.hits.map(({ _index, _id, _version, _source }) => ({ index: _index, id: _id!, version: _version!, source: _source! })))
    if (hits.hits.length < AT_ONCE) return copy
    after = hits.hits.at(-1)!.sort
  }
}

/** Takes every partition away and restores the copy, as a snapshot of an earlier day does: same names, same aliases, same versions. */
export async function setIndexBack({ client, alias }: Rig, copy: Copied[]): Promise<void> {
  const states = await client.indices.getAlias({ index: `${alias}_v1-*` })
  for (const [index, { aliases }] of Object.entries(states)) {
    await client.indices.delete({ index })
    await client.indices.create({ index, aliases })
  }
  for (let from = 0; from < copy.length; from += AT_ONCE) {
    const operations = copy
      .slice(from, from + AT_ONCE)
      .flatMap(({ index, id, version, source }) => [
        { index: { _index: index, _id: id, version, version_type: 'external' as const } },
        source,
      ])
    const { errors } = await client.bulk({ operations, refresh: true })
    if (errors) throw new Error('the copy could not be put back')
  }
}
