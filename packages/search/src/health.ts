import type { Client } from '@elastic/elasticsearch'
import { queryFailed } from './faults.ts'
import { createNames, type SearchNames } from './names.ts'
import { askVersion, NEEDED_MAJOR } from './setup.ts'

export interface SearchHealth {
  ok: boolean
  /** What is wrong, in words an operator can act on; empty when all is well. */
  problems: string[]
}

/** Whether articles can be written and searched: reachable, of the right version, set up, no partition lost. Never throws. */
export async function searchHealth(client: Client, names: SearchNames = createNames()): Promise<SearchHealth> {
  const problems: string[] = []
  try {
    const version = await askVersion(client)
    if (!version.startsWith(`${NEEDED_MAJOR}.`)) problems.push(`Elasticsearch is version ${version}, and ${NEEDED_MAJOR}.x is needed`)
    for (const alias of [names.live, names.all]) {
      if (!(await client.indices.existsAlias({ name: alias }))) problems.push(`the alias ${alias} is missing: run the set-up`)
    }
    if (problems.length === 0) {
      const { status } = await client.cluster.health({ index: names.all })
      if (status === 'red')
        problems.push('a partition of articles is not available (cluster health red): see GET _cluster/allocation/explain')
    }
  } catch (error) {
    problems.push(error instanceof Error && 'code' in error ? error.message : queryFailed(error).message)
  }
  return { ok: problems.length === 0, problems }
}
