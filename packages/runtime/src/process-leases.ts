import { randomUUID } from 'node:crypto'
import { createLease } from '@copydesk/queue'
import type { Log } from '@copydesk/pipeline'

type Redis = Parameters<typeof createLease>[0]

/** Longer than Redis is away when it is started again; far below the time after which a segment counts as left. */
const LEASE_MS = 60_000
const RENEW_MS = 15_000

export type ProcessLeases = ReturnType<typeof createProcessLeases>

/** Says in Redis that this process lives: its segments in the archive bear its id, and the keeper closes only those of the dead. */
export function createProcessLeases(redis: Redis, prefix: string, log: Log) {
  const processId = randomUUID()
  const lease = createLease(redis, { prefix, name: `process:${processId}`, ms: LEASE_MS })
  const renew = () =>
    void lease.hold().catch((error: unknown) => log.debug({ reason: String(error) }, 'the process lease could not be renewed'))
  const timer = setInterval(renew, RENEW_MS)
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
