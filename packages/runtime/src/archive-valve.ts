import { type Log, RetryableError } from '@copydesk/pipeline'
import type { RecordStore, Valve } from '@copydesk/queue'

const FIRST_MS = 1000
const LONGEST_MS = 15_000
/** Once it flows for so long, the next failure is a new one. */
const WELL_MS = 30_000

export interface ArchiveValve extends Valve {
  /** A record could not be kept. */
  failed(reason: string): void
  /** What is waited for; null while it flows. */
  reason(): string | null
  onReason(listener: (reason: string | null) => void): void
  close(): void
}

/**
 * Shuts while the archive can't be written: else each job would be worked on, a page fetched again, every few seconds, for nothing. `check` tries to
 * write, a second after the first failure, then less and less often; it rejects while nothing can be written.
 */
export function createArchiveValve({
  check,
  log,
  now = Date.now,
}: {
  check: () => Promise<void>
  log: Log
  now?: () => number
}): ArchiveValve {
  let reason: string | null = null
  let waitMs = FIRST_MS
  let openedAt = -Infinity
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const changeListeners = new Set<(flows: boolean) => void>()
  const reasonListeners = new Set<(reason: string | null) => void>()

  function become(next: string | null): void {
    const flowed = reason === null
    reason = next
    if ((next === null) !== flowed) for (const listener of changeListeners) listener(next === null)
    for (const listener of reasonListeners) listener(next)
  }

  function checkLater(): void {
    if (!closed) timer = setTimeout(() => void tryAgain(), waitMs).unref()
    waitMs = Math.min(LONGEST_MS, waitMs * 2)
  }

  async function tryAgain(): Promise<void> {
    try {
      await check()
    } catch (error) {
      become(error instanceof Error ? error.message : String(error))
      return checkLater()
    }
    log.info({}, 'the archive can be written again')
    openedAt = now()
    become(null)
  }

  return {
    flows: () => reason === null,
    onChange: (listener) => void changeListeners.add(listener),
    reason: () => reason,
    onReason: (listener) => void reasonListeners.add(listener),
    failed(why) {
      // What was under way as it shut says nothing new.
      if (reason !== null || closed) return
      if (now() - openedAt > WELL_MS) waitMs = FIRST_MS
      log.warn({ reason: why }, "the archive can't be written: waiting")
      become(why)
      checkLater()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** A record store whose failures shut the valve. */
export function watchRecords(records: RecordStore, valve: Pick<ArchiveValve, 'failed'>): RecordStore {
  return {
    ...records,
    async keep(kind, stamp, output) {
      try {
        return await records.keep(kind, stamp, output)
      } catch (error) {
        if (error instanceof RetryableError && error.code === 'archive-unavailable') valve.failed(error.message)
        throw error
      }
    },
  }
}
