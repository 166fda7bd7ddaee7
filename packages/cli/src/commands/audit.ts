import { createApiClient } from '../client/api.ts'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { followTask, numbersOf, printResult } from '../follow-task.ts'

export interface AuditOptions {
  repair?: boolean
  yes?: boolean
  json?: boolean
}

/** Compares the archive with Elasticsearch; with `repair` and `yes` it writes what is missing or old. Resolves to the exit code: 1 where something is, and stays. */
export async function audit({ repair = false, yes = false, json }: AuditOptions): Promise<number> {
  const apply = repair && yes
  const { result = {} } = await followTask(createApiClient(), 'audit', apply)
  const { missing = 0, old = 0, repaired = 0 } = numbersOf(result)
  const wrong = missing + old
  if (json) console.log(JSON.stringify({ applied: apply, ...result }))
  else {
    printResult(result)
    if (wrong === 0) console.log('Elasticsearch holds what the archive says')
    else if (apply) console.log(`${repaired} documents were written`)
    else
      console.log(
        `${missing} articles are missing and ${old} are old in Elasticsearch: ./copydesk audit --repair --yes writes them from the archive`,
      )
  }
  return wrong === 0 || apply ? DONE : SOME_FAILED
}
