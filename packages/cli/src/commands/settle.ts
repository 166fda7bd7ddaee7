import { FailuresView, SettledAllView, SettledView } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { deadLetterId } from '../client/dead-letter-id.ts'
import { DONE } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'

export interface SettleOptions {
  all?: boolean
  yes?: boolean
  json?: boolean
}

const DID = { retry: 'under way again', dismiss: 'dismissed' } as const

/** Retries or dismisses one dead letter, or all. Resolves to the exit code. */
export async function settle(what: 'retry' | 'dismiss', id: string | undefined, options: SettleOptions): Promise<number> {
  if ((id === undefined) === (options.all !== true)) throw new CannotRun(`${what} needs a dead letter's captureId, or --all`)
  return id === undefined ? await settleAll(what, options) : await settleOne(what, id, options)
}

async function settleOne(what: 'retry' | 'dismiss', id: string, { json }: SettleOptions): Promise<number> {
  const settled = await createApiClient().order(SettledView, `/failures/${deadLetterId(id)}/${what}`)
  if (json) console.log(JSON.stringify(settled))
  else if (settled.duplicateOf) console.log(`${id}  duplicate-run: the same work is under way as ${settled.duplicateOf}`)
  else console.log(`${id}  ${DID[what]}${what === 'retry' ? `, at ${settled.stage}` : ''}`)
  return DONE
}

async function settleAll(what: 'retry' | 'dismiss', { yes, json }: SettleOptions): Promise<number> {
  const api = createApiClient()
  if (!yes) {
    const { total } = await api.get(FailuresView, '/failures', { size: 1 })
    if (json) console.log(JSON.stringify({ would: what, total }))
    else console.log(`would ${what} ${total} dead ${total === 1 ? 'letter' : 'letters'}: add --yes to do it`)
    return DONE
  }
  const done = await api.order(SettledAllView, `/failures/${what}`)
  if (json) console.log(JSON.stringify(done))
  else {
    const { settled, duplicates, gone } = done
    const others = [duplicates > 0 && `${duplicates} duplicate-run`, gone > 0 && `${gone} settled by others meanwhile`].filter(Boolean)
    console.log(`${settled} ${DID[what]}${others.map((text) => `, ${text}`).join('')}`)
  }
  return DONE
}
