import { createApiClient } from '../client/api.ts'
import { DONE } from '../exit-codes.ts'
import { followTask, numbersOf, printResult } from '../follow-task.ts'

/** Fills Redis again from the archive, or says what that would do. Resolves to the exit code. */
export async function recover({ yes = false, json }: { yes?: boolean; json?: boolean }): Promise<number> {
  const { result = {} } = await followTask(createApiClient(), 'recover', yes)
  if (json) console.log(JSON.stringify({ applied: yes, ...result }))
  else {
    printResult(result)
    console.log(yes ? `recovered ${numbersOf(result)['captures'] ?? 0} captures: work goes on` : 'nothing was changed: add --yes to do it')
  }
  return DONE
}
