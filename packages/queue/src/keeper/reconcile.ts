import type { CaptureId, Envelope, StageName } from '@copydesk/contracts'
import type { Log } from '@copydesk/pipeline'
import type { Queues } from '../queues.ts'
import type { Registry } from '../registry.ts'

export interface ReconcileOptions {
  /** Entries touched within this time are left alone, in milliseconds. */
  untouchedMs: number
  /** An entry that has its job is looked at again after this time, in milliseconds. */
  againMs: number
}
export const DEFAULT_RECONCILE: ReconcileOptions = { untouchedMs: 30_000, againMs: 60_000 }
const BATCH = 500
/** Entries looked at together: after a recover all that is under way lacks its job. */
const AT_ONCE = 50

/**
 * Adds the job of each entry in flight that has none in its stage's queue: what a kill between a move and its add leaves behind.
 * An entry may move on between the look and the add: the added job then starts as late. Answers how many were added.
 */
export async function reconcile(registry: Registry, queues: Queues, options: ReconcileOptions, log: Log): Promise<number> {
  let added = 0
  for (;;) {
    const entries = await registry.untouched(options.untouchedMs, BATCH)
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      const done = await Promise.all(entries.slice(from, from + AT_ONCE).map(ensureJob))
      added += done.filter(Boolean).length
    }
    if (entries.length < BATCH) return added
  }

  async function ensureJob({
    captureId,
    stage,
    envelope,
  }: {
    captureId: CaptureId
    stage: StageName
    envelope: Envelope
  }): Promise<boolean> {
    if (!(await queues.has(stage, captureId))) return await add(captureId, stage, envelope)
    await registry.touch(captureId, options.againMs - options.untouchedMs)
    return false
  }

  /** One job that can't be added must not keep the others from theirs. */
  async function add(captureId: CaptureId, stage: StageName, envelope: Envelope): Promise<boolean> {
    try {
      await queues.add(stage, envelope)
      await registry.touch(captureId, 0)
      return true
    } catch (error) {
      log.error({ captureId, reason: error instanceof Error ? error.message : String(error) }, 'a job could not be added')
      await registry.touch(captureId, options.againMs - options.untouchedMs)
      return false
    }
  }
}
