import type { Rig } from './system.ts'

/** A document as it was copied, with all that is needed to put it back as it was. */
interface Copied {
  index: string
  id: string
  version: number
  source: Record<string, unknown>
}

/** Copies every document of every partition. */
export async function copyIndex({ client, alias }: Rig): Promise<Copied[]> {
  await client.indices.refresh({ index: `${alias}-all` })
  const { hits } = await client.search<Record<string, unknown>>({ index: `${alias}-all`, size: 10_000, version: true })
  return hits.hits.map(({ _index, _id, _version, _source }) => ({ index: _index, id: _id!, version: _version!, source: _source! }))
}

/** Takes every partition away and restores the copy, as a snapshot of an earlier day does: same names, same aliases, same versions. */
export async function setIndexBack({ client, alias }: Rig, copy: Copied[]): Promise<void> {
  const states = await client.indices.getAlias({ index: `${alias}_v1-*` })
  for (const [index, { aliases }] of Object.entries(states)) {
    await client.indices.delete({ index })
    await client.indices.create({ index, aliases })
  }
  const operations = copy.flatMap(({ index, id, version, source }) => [
    { index: { _index: index, _id: id, version, version_type: 'external' as const } },
    source,
  ])
  if (operations.length === 0) return
  const { errors } = await client.bulk({ operations, refresh: true })
  if (errors) throw new Error('the copy could not be put back')
}
