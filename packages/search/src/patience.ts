import { setTimeout as sleep } from 'node:timers/promises'
import { isSearchFault, passes, requestFault } from './faults.ts'

/** How often something is asked again, in this process, before it counts as failed. */
export const MOST_RETRIES = 4
const FIRST_PAUSE_MS = 200

/** Waits before a further try: anything up to 0.2, 0.4, 0.8, 1.6 s, so that what failed together doesn't come back together. */
export async function pause(retry: number): Promise<void> {
  await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** retry)
}

/** Asks, and asks again where the fault is one that passes, as long as `goesOn` says so. Throws the last error. */
export async function patiently<Result>(ask: () => Promise<Result>, goesOn: () => boolean): Promise<Result> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isSearchFault(error) || !passes(requestFault(error)) || retry === MOST_RETRIES || !goesOn()) throw error
    }
    await pause(retry)
  }
}
