import { type Failure, FailuresView, FailureView } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { deadLetterId } from '../client/dead-letter-id.ts'
import { DONE } from '../exit-codes.ts'
import { printCapture } from '../print-capture.ts'

/** Lists dead letters, or shows one whole. Resolves to the exit code. */
export async function failures(id: string | undefined, { size, json }: { size: number; json?: boolean }): Promise<number> {
  const api = createApiClient()
  if (id !== undefined) {
    const view = await api.get(FailureView, `/failures/${deadLetterId(id)}`)
    if (json) console.log(JSON.stringify(view))
    else printFailure(view)
    return DONE
  }
  const view = await api.get(FailuresView, '/failures', { size: Math.min(Math.max(size, 1), 1000) })
  if (json) console.log(JSON.stringify(view))
  else printFailures(view)
  return DONE
}

function printFailures({ total, failures: listed }: FailuresView): void {
  for (const failure of listed) console.log(lineOf(failure))
  if (total > listed.length) console.log(`and ${total - listed.length} more: --size shows more`)
  if (total === 0) console.log('no dead letters')
  else console.log(`${total} dead ${total === 1 ? 'letter' : 'letters'}: ./copydesk failures ID shows one whole, retry or dismiss ends it`)
}

function lineOf({ captureId, at, stage, code, url, cause }: Failure): string {
  const short = cause.length > 100 ? `${cause.slice(0, 99)}…` : cause
  return `${captureId}  ${at}  ${stage}  ${code}  ${url ?? '(bytes in hand)'}\n    ${short}`
}

function printFailure({ failure, capture }: FailureView): void {
  const { captureId, stage, code, cause, at } = failure
  console.log(`dead letter ${captureId}, failed at ${stage} (${code}) ${at}\n  ${cause}\n`)
  printCapture(capture)
  console.log(`\n./copydesk retry ${captureId} puts it under way again, ./copydesk dismiss ${captureId} lays it aside`)
}
