import type { Client } from '@elastic/elasticsearch'
import { PermanentError } from '@copydesk/pipeline'
import { queryFailed, requestFault } from './faults.ts'
import { monthAfter, monthOf, type SearchNames, createNames } from './names.ts'
import { putTemplates } from './templates.ts'

/** The server's major version that the client speaks with. */
export const NEEDED_MAJOR = 9

/** Brings templates and this and the next month's partitions to where they should be; may be run at any time, by several at once. Throws a RetryableError `search-unavailable` where Elasticsearch can't be asked, a PermanentError where it is of another version. */
export async function setUpSearch(
  client: Client,
  { now = new Date(), names = createNames() }: { now?: Date; names?: SearchNames } = {},
): Promise<void> {
  const version = await askVersion(client)
  if (!version.startsWith(`${NEEDED_MAJOR}.`)) {
    throw new PermanentError('search-unavailable', `Elasticsearch is version ${version}; Copydesk needs ${NEEDED_MAJOR}.x: update it`)
  }
  const month = monthOf(now.getTime())
  try {
    await putTemplates(client, names)
    for (const each of [month, monthAfter(month)]) await ensurePartition(client, each, names)
  } catch (error) {
    throw queryFailed(error)
  }
}

/** Makes a month's partition with its aliases, if it isn't there. Templates first: an index made before them would have guessed mappings for ever. Throws what the client throws. */
export async function ensurePartition(client: Client, month: string, names: SearchNames = createNames()): Promise<void> {
  if (await client.indices.existsAlias({ name: names.write(month) })) return
  await putTemplates(client, names)
  const index = names.partition(month)
  const aliases = {
    [names.write(month)]: { is_write_index: true },
    [names.live]: { filter: { term: { status: 'live' } } },
    [names.all]: {},
  }
  try {
    await client.indices.create({ index, aliases })
  } catch (error) {
    if (requestFault(error).type !== 'resource_already_exists_exception') throw error
    // Made by another process just now, or its aliases were taken off: putting them again changes nothing or mends it.
    await client.indices.updateAliases({
      actions: Object.entries(aliases).map(([alias, options]) => ({ add: { index, alias, ...options } })),
    })
  }
}

/** The lowest version in the cluster, such as `9.5.3`. */
export async function askVersion(client: Client): Promise<string> {
  try {
    const { nodes } = await client.nodes.info({ metric: 'os', filter_path: 'nodes.*.version' })
    const versions = Object.values(nodes).map((node) => node.version)
    return versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0] ?? 'unknown'
  } catch (error) {
    throw queryFailed(error)
  }
}
