import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, isSearchFault, passes, requestFault } from './faults.ts'

/** How often something is asked again, in this process, before it counts as failed. */
export const MOST_RETRIES = 4
const FIRST_PAUSE_MS = 200

/** Waits before a further try: anything up to 0.2, 0.4, 0.8, 1.6 s, so that what failed together doesn't come back together. */
export async function pause(retry: number): Promise<void> {
  await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** retry)
}

/** Whether what failed may be tried again in this process; told the fault, if there was one. */
export type GoesOn = (fault?: Fault) => boolean

/** Asks, and asks again where the fault is one that passes, as long as `goesOn` says so. Throws the last error. */
export async function patiently<Result>(ask: () => Promise<Result>, goesOn: GoesOn): Promise<Result> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await ask()
    } catch (error) {
      const fault = isSearchFault(error) ? requestFault(error) : null
      if (fault === null || !passes(fault) || retry === MOST_RETRIES || !goesOn(fault)) throw error
    }
    await pause(retry)
  }
}
