import type { Client } from '@elastic/elasticsearch'
import { explain, queryFailed } from './faults.ts'
import { createNames, type SearchNames } from './names.ts'
import { lostPartition } from './partitions.ts'
import { askVersion } from './setup.ts'
import { survey } from './survey.ts'

const HEALTH_MS = 5_000

export interface SearchHealth {
  ok: boolean
  /** What is wrong, in words an operator can act on; empty when all is well. */
  problems: string[]
}

/** Whether articles can be written and searched: reachable, of the right version, set up, nothing foreign under our names, no partition lost. Never throws. */
export async function searchHealth(client: Client, names: SearchNames = createNames()): Promise<SearchHealth> {
  const problems: string[] = []
  try {
    const problem = await askVersion(client)
    if (problem !== null) return { ok: false, problems: [problem] }
    problems.push(...(await survey(client, names)).problems)
    // Of what is not ours there is no use in saying what it lacks.
    const aliases = problems.length > 0 ? [] : [names.live, names.all]
    for (const alias of aliases) {
      if (!(await client.indices.existsAlias({ name: alias }))) problems.push(`the alias ${alias} is missing: run the set-up`)
    }
    const lost = await lostPartition(client, names.partitions, HEALTH_MS)
    if (lost !== null) problems.push(explain(lost))
  } catch (error) {
    problems.push(queryFailed(error).message)
  }
  return { ok: problems.length === 0, problems }
}
