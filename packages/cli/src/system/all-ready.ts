import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CannotRun } from '../local/cannot-run.ts'
import { logTail } from '../local/log-file.ts'
import type { Supervised } from './processes.ts'
import { isService } from './stop-parts.ts'

const READY_MS = 120_000
const TELL_MS = 15_000
const LOOK_MS = 2000

export interface ReadyOptions {
  /** Where the API listens, which says what is waited for. */
  api: string
  /** Resolves to why the system can't go on. */
  failed: Promise<Error>
  logFile: (name: string) => string
  notice: (line: string) => void
  signal?: AbortSignal | undefined
}

/**
 * Waits until every part is ready. Throws CannotRun after two minutes, with what is missing; not while the system waits for an operator,
 * who must first fill a store again: then it says so and goes on waiting.
 */
export async function allReady(parts: Supervised[], { api, failed, logFile, notice, signal }: ReadyOptions): Promise<void> {
  const over = new AbortController()
  const aborted = new Promise<Error>((resolve) => signal?.addEventListener('abort', () => resolve(signal.reason as Error), { once: true }))
  const telling = setInterval(() => notice(`still waiting for ${unreadyOf(parts).join(', ')}`), TELL_MS)
  const all = Promise.all(parts.map((part) => part.ready())).then(() => null)
  const error = await Promise.race([all, failed, late(), aborted]).finally(() => {
    over.abort()
    clearInterval(telling)
  })
  if (error) throw error

  async function late(): Promise<Error> {
    const since = Date.now()
    let said = ''
    for (;;) {
      // Rejects when it is over, and then nobody listens any more.
      await sleep(LOOK_MS, null, { signal: over.signal }).catch(() => undefined)
      if (over.signal.aborted) return new Error('unreachable')
      const reason = await operatorsReason(api)
      if (reason !== null && reason !== said) notice(`waiting for you: ${reason}`)
      said = reason ?? ''
      if (reason === null && Date.now() - since > READY_MS) return explain(parts, logFile)
    }
  }
}

const Waiting = z.object({ waitingFor: z.array(z.string()) })

/** What an operator must do before the system can go on; null where there is nothing. */
async function operatorsReason(api: string): Promise<string | null> {
  try {
    const answer = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(LOOK_MS) })
    return Waiting.parse(await answer.json()).waitingFor.find((reason) => reason.includes('copydesk recover')) ?? null
  } catch {
    return null
  }
}

function unreadyOf(parts: Supervised[]): string[] {
  return parts.filter((part) => isService(part) && part.info().health === null).map(({ name }) => name)
}

function explain(parts: Supervised[], logFile: (name: string) => string): CannotRun {
  const unready = unreadyOf(parts)
  const first = unready[0]
  const tail = first ? `; the log of ${first}, ${logFile(first)}, ends with:\n${logTail(logFile(first))}` : ''
  return new CannotRun(`not ready after ${READY_MS / 1000} s: ${unready.join(', ')}${tail}`)
}
