import type { Client } from '@elastic/elasticsearch'
import { PermanentError } from '@copydesk/pipeline'
import { explain, FaultError, FOREIGN_INDEX, FOREIGN_SERVER, queryFailed, requestFault } from './faults.ts'
import { monthAfter, monthOf, type SearchNames, createNames } from './names.ts'
import { survey } from './survey.ts'
import { putTemplates } from './templates.ts'
import { versionProblem } from './versions.ts'

/** Brings templates, this and the next month's partitions, and the aliases of all partitions to where they should be; may be run at any time, by several at once. Throws a RetryableError `search-unavailable` where Elasticsearch can't be asked; a PermanentError `search-unavailable`, and writes nothing, where it is of another version, another product, or holds something else under Copydesk's names. */
export async function setUpSearch(
  client: Client,
  { now = new Date(), names = createNames() }: { now?: Date; names?: SearchNames } = {},
): Promise<void> {
  try {
    const problem = await askVersion(client)
    if (problem !== null) throw new PermanentError('search-unavailable', problem)
    const { problems, bare } = await survey(client, names)
    if (problems.length > 0) throw new PermanentError('search-unavailable', problems.join('; '))
    await putTemplates(client, names)
    for (const { index, month } of bare) await putAliases(client, index, month, names)
    const month = monthOf(now.getTime())
    for (const each of [month, monthAfter(month)]) await ensurePartition(client, each, names)
  } catch (error) {
    if (error instanceof PermanentError) throw error
    const fault = requestFault(error)
    throw MISMATCHES.has(fault.type) ? new PermanentError('search-unavailable', explain(fault)) : queryFailed(error)
  }
}

/** What tells that the server is none to work with, before it says its version. */
const MISMATCHES = new Set(['media_type_header_exception', FOREIGN_SERVER, FOREIGN_INDEX])

/** Makes a month's partition with its aliases, if it isn't there. Templates first: an index made before them would have guessed mappings for ever. Throws a FaultError where there is something else under Copydesk's names, or what the client throws. */
export async function ensurePartition(client: Client, month: string, names: SearchNames = createNames()): Promise<void> {
  if (await client.indices.existsAlias({ name: names.write(month) })) return
  const { problems } = await survey(client, names)
  if (problems.length > 0) throw new FaultError({ status: 400, type: FOREIGN_INDEX, cure: problems.join('; ') })
  await putTemplates(client, names)
  const index = names.partition(month)
  try {
    await client.indices.create({ index, aliases: aliasesOf(month, names) })
  } catch (error) {
    if (requestFault(error).type !== 'resource_already_exists_exception') throw error
    // Made by another process just now, or its aliases were taken off: putting them again changes nothing or mends it.
    await putAliases(client, index, month, names)
  }
}

/** Under which aliases a partition is written, searched, and looked through. */
function aliasesOf(month: string, names: SearchNames) {
  return {
    [names.write(month)]: { is_write_index: true },
    [names.live]: { filter: { term: { status: 'live' } } },
    [names.all]: {},
  }
}

async function putAliases(client: Client, index: string, month: string, names: SearchNames): Promise<void> {
  const actions = Object.entries(aliasesOf(month, names)).map(([alias, options]) => ({ add: { index, alias, ...options } }))
  await client.indices.updateAliases({ actions })
}

/** What is wrong with the cluster's versions, in a sentence; null where nothing is. Throws what the client throws. */
export async function askVersion(client: Client): Promise<string | null> {
  return versionProblem(await client.nodes.info({ metric: 'os', filter_path: ['nodes.*.version', 'nodes.*.build_flavor'] }))
}
