import { removeSegments, sweepSegments } from '@copydesk/archive'
import type { Registry } from '@copydesk/queue'
import type { PipelineParts } from '@copydesk/runtime'
import type { Log } from '@copydesk/pipeline'
import type { Duty } from './keeper.ts'
import type { SchedulerEnv } from './env.ts'

const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

/** The keeper's duties on the archive: to close what dead processes left open, and to remove by age what the operator allows. */
export function archiveDuties(env: SchedulerEnv, parts: Pick<PipelineParts, 'processes' | 'registry'>, log: Log): Duty[] {
  const folder = env.ARCHIVE_DIR
  const sweep: Duty = {
    name: 'segments',
    everyMs: Math.max(env.KEEPER_MS, env.SEGMENT_MS / 10),
    async run() {
      const swept = await sweepSegments({ folder, untouchedMs: env.SEGMENT_MS * 2, isAlive: parts.processes.isAlive, log })
      const counts = { closed: swept.closed.length, cut: swept.cut.length, removed: swept.removed.length }
      return counts.closed + counts.removed > 0 ? counts : null
    },
  }
  const kept = [
    { kind: 'raw', days: env.RAW_KEEP_DAYS },
    { kind: 'clean', days: env.CLEAN_KEEP_DAYS },
  ] as const
  if (kept.every(({ days }) => days === undefined)) return [sweep]
  return [sweep, { name: 'retention', everyMs: HOUR_MS, run: async () => await removeOld(folder, kept, parts.registry, log) }]
}

async function removeOld(
  folder: string,
  kept: readonly { kind: 'raw' | 'clean'; days: number | undefined }[],
  registry: Pick<Registry, 'references'>,
  log: Log,
): Promise<object | null> {
  // Asked first: what comes under way after it refers to records that are younger than any limit.
  const inUse = await registry.references()
  const removed: Record<string, number> = {}
  for (const { kind, days } of kept) {
    if (days === undefined) continue
    const done = await removeSegments({ folder, kind, beforeMs: Date.now() - days * DAY_MS, inUse, log })
    if (done.removed.length > 0) removed[kind] = done.removed.length
  }
  return Object.keys(removed).length > 0 ? removed : null
}
