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

/**
 * Adds the job of each entry in flight that has none in its stage's queue: what a kill between a move and its add leaves behind.
 * An entry may move on between the look and the add: the added job then starts as late. Answers how many were added.
 */
export async function reconcile(registry: Registry, queues: Queues, options: ReconcileOptions, log: Log): Promise<number> {
  let added = 0
  for (;;) {
    const entries = await registry.untouched(options.untouchedMs, BATCH)
    for (const { captureId, stage, envelope } of entries) {
      if (await queues.has(stage, captureId)) {
        await registry.touch(captureId, options.againMs - options.untouchedMs)
      } else {
        added += await add(captureId, stage, envelope)
      }
    }
    if (entries.length < BATCH) return added
  }

  /** One job that can't be added must not keep the others from theirs. */
  async function add(captureId: CaptureId, stage: StageName, envelope: Envelope): Promise<number> {
    try {
      await queues.add(stage, envelope)
      await registry.touch(captureId, 0)
      return 1
    } catch (error) {
      log.error({ captureId, reason: error instanceof Error ? error.message : String(error) }, 'a job could not be added')
      await registry.touch(captureId, options.againMs - options.untouchedMs)
      return 0
    }
  }
}
