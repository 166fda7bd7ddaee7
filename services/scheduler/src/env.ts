import { DEFAULT_RECONCILE } from '@copydesk/queue'
import { CommonEnv, envTypes } from '@copydesk/runtime'
import type { z } from 'zod'

export const SchedulerEnv = CommonEnv.extend({
  KEEPER_MS: envTypes.milliseconds.default(15_000),
  RECONCILE_UNTOUCHED_MS: envTypes.milliseconds.default(DEFAULT_RECONCILE.untouchedMs),
  INTAKE_SETTLE_MS: envTypes.milliseconds.default(30_000),
  AUDIT_MS: envTypes.milliseconds.default(3_600_000),
  RAW_KEEP_DAYS: envTypes.count.optional(),
  CLEAN_KEEP_DAYS: envTypes.count.optional(),
})
export type SchedulerEnv = z.infer<typeof SchedulerEnv>
