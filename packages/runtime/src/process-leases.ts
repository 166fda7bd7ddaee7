import { randomUUID } from 'node:crypto'
import { createLease } from '@copydesk/queue'
import type { Log } from '@copydesk/pipeline'

type Redis = Parameters<typeof createLease>[0]

/** Longer than Redis is away when it is started again. */
const LONGEST_MS = 60_000

/**
 * Says in Redis that this process lives: its segments in the archive bear its id, and the keeper closes only those of the dead. A lease is
 * over before a segment counts as left, which is two times `segmentMs` after its last record.
 */
export function createProcessLeases(redis: Redis, prefix: string, segmentMs: number, log: Log) {
  const processId = randomUUID()
  const ms = Math.min(LONGEST_MS, segmentMs * 2)
  const lease = createLease(redis, { prefix, name: `process:${processId}`, ms })
  const renew = () =>
    void lease.hold().catch((error: unknown) => log.debug({ reason: String(error) }, 'the process lease could not be renewed'))
  const timer = setInterval(renew, ms / 4)
  renew()
  return {
    processId,
    /** Whether the process with this id still renews its lease. */
    isAlive: async (id: string): Promise<boolean> => (await redis.exists(`${prefix}:lease:process:${id}`)) === 1,
    async close(): Promise<void> {
      clearInterval(timer)
      await lease.release().catch(() => undefined)
    },
  }
}
