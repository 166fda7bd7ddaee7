import type { Log } from '@copydesk/pipeline'
import type { Redis } from 'ioredis'
import { agreeEpoch, type EpochStore } from './epoch.ts'

export type EpochGate = ReturnType<typeof createEpochGate>

/** Knows at any moment whether Redis and archive belong together, and tells those who wait for it. Asks again every `everyMs`. */
export function createEpochGate(options: { redis: Redis; store: EpochStore; prefix: string; log: Log; everyMs?: number }) {
  const { redis, store, prefix, log, everyMs = 2000 } = options
  let epoch: string | null = null
  let reason: string | null = 'Redis has not answered yet.'
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const listeners = new Set<(open: boolean) => void>()

  async function check(): Promise<void> {
    const before = epoch
    const wasReason = reason
    try {
      const verdict = await agreeEpoch(redis, store, prefix)
      epoch = verdict.kind === 'agreed' ? verdict.epoch : null
      reason = verdict.kind === 'agreed' ? null : verdict.reason
    } catch (error) {
      // Redis away or the archive unreadable: nothing is known to have changed, so what was agreed stands.
      if (epoch === null) reason = `Redis or the archive can't be asked: ${error instanceof Error ? error.message : String(error)}`
    }
    if (reason !== null && reason !== wasReason) log.error({ reason }, 'waiting: Redis and archive do not belong together')
    if ((before === null) !== (epoch === null)) for (const listener of listeners) listener(epoch !== null)
  }

  async function loop(): Promise<void> {
    await check()
    if (!closed) timer = setTimeout(() => void loop(), everyMs)
  }

  return {
    /** The agreed epoch; null while there is none. */
    epoch: (): string | null => epoch,
    /** Why nothing moves; null when all is well. */
    reason: (): string | null => reason,
    /** Calls back whenever the gate opens or shuts. */
    onChange(listener: (open: boolean) => void): void {
      listeners.add(listener)
    },
    /** Asks once, then keeps asking. */
    async start(): Promise<void> {
      await loop()
    },
    close(): void {
      closed = true
      clearTimeout(timer)
    },
  }
}
