import type { Log } from '@copydesk/pipeline'
import { refusalOf } from '../connection/explain.ts'
import type { Valve } from './valve.ts'

/** How long a worker leaves a Redis alone that refuses writes, in milliseconds. */
const BREATH_MS = 2000
const LOG_EVERY_MS = 30_000

/**
 * A valve that shuts for two seconds whenever Redis refuses a write. A full Redis refuses the very taking of a job, and BullMQ asks again at once:
 * thousands of times a second, with a line in the log and a core for each.
 */
export function createBreather(log: Log, now: () => number = Date.now): Valve & { heard(error: unknown): void } {
  const listeners = new Set<(flows: boolean) => void>()
  let shut = false
  let logged = -Infinity

  function turn(to: boolean): void {
    shut = to
    for (const listener of listeners) listener(!to)
  }

  return {
    flows: () => !shut,
    onChange: (listener) => void listeners.add(listener),
    /** An error from the queue: does nothing unless it is a refusal. */
    heard(error: unknown): void {
      const refusal = refusalOf(error)
      if (refusal === null || shut) return
      if (now() - logged >= LOG_EVERY_MS) {
        logged = now()
        log.error({ reason: refusal.sentence }, 'Redis refuses writes: no jobs are taken until it accepts them')
      }
      turn(true)
      setTimeout(() => turn(false), BREATH_MS).unref()
    },
  }
}
