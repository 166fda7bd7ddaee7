import type { Log } from '@copydesk/pipeline'
import { explain, type Fault } from './faults.ts'

/**
 * Whether Elasticsearch is used at all. It opens at the first fault that is no document's; then no work flows, and it asks from time to
 * time whether Elasticsearch is back. Once it is, work flows again on trial: the first success closes the circuit, a failure opens it
 * again for twice as long.
 */
export interface Circuit {
  /** Whether work may be tried. */
  flows(): boolean
  /** Calls back whenever that changes. */
  onChange(listener: (flows: boolean) => void): void
  /** Work went through. */
  succeeded(): void
  /** Work failed, and not by a document's fault. */
  failed(fault: Fault): void
  /** What it waits for, with the cure; null while it is closed. */
  reason(): string | null
  /** Calls back whenever the reason changes. */
  onReason(listener: (reason: string | null) => void): void
  /** Milliseconds until it asks again, at least 500; 0 while work flows. */
  waitMs(): number
  /** Asks no more. Work under way still learns whether it may go on. */
  close(): void
}

/** What the article index needs of it. */
export type CircuitInUse = Pick<Circuit, 'flows' | 'onChange' | 'succeeded' | 'failed' | 'reason' | 'waitMs'>

export interface CircuitOptions {
  log: Log
  /** Whether Elasticsearch is back: null, or what is wrong with it. Never rejects. */
  probe: () => Promise<Fault | null>
  /** The time, in milliseconds. */
  now?: () => number
  random?: () => number
}

/** The first wait is short: a single bad answer must not cost more than a moment. */
const FIRST_MS = 500
const LONGEST_MS = 30_000
/** On trial and without work, it closes after this long: longer than any request, so that none is still open. */
const TRIAL_MS = 15_000

export function createCircuit({ log, probe, now = Date.now, random = Math.random }: CircuitOptions): Circuit {
  let state: 'closed' | 'open' | 'trial' = 'closed'
  let failures = 0
  let probeAt = 0
  let reason: string | null = null
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const changeListeners = new Set<(flows: boolean) => void>()
  const reasonListeners = new Set<(reason: string | null) => void>()
  const flows = () => state !== 'open'

  function become(next: typeof state, nextReason: string | null): void {
    const flowed = flows()
    const before = reason
    state = next
    reason = nextReason
    if (flows() !== flowed) for (const listener of changeListeners) listener(!flowed)
    if (reason !== before) for (const listener of reasonListeners) listener(reason)
  }

  function after(ms: number, run: () => void): void {
    clearTimeout(timer)
    if (!ended) timer = setTimeout(run, ms)
  }

  /** From half of the wait to all of it, by chance: many processes don't ask together. */
  function waitForProbe(): void {
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + random() / 2)
    failures += 1
    probeAt = now() + ms
    after(ms, () => void ask())
  }

  async function ask(): Promise<void> {
    const fault = await probe()
    if (ended) return
    if (fault !== null) {
      waitForProbe()
      become('open', explain(fault))
      return
    }
    after(TRIAL_MS, succeeded)
    become('trial', reason)
  }

  function failed(fault: Fault): void {
    // What was under way as it opened says nothing new.
    if (state === 'open') return
    if (state === 'closed') log.warn({ reason: explain(fault) }, "Elasticsearch can't be used: waiting")
    waitForProbe()
    become('open', explain(fault))
  }

  function succeeded(): void {
    if (state !== 'trial') return
    clearTimeout(timer)
    failures = 0
    log.info({}, 'Elasticsearch is back')
    become('closed', null)
  }

  return {
    flows,
    onChange: (listener) => void changeListeners.add(listener),
    succeeded,
    failed,
    reason: () => reason,
    onReason: (listener) => void reasonListeners.add(listener),
    waitMs: () => (state === 'open' ? Math.max(FIRST_MS, probeAt - now()) : 0),
    close: () => {
      ended = true
      clearTimeout(timer)
    },
  }
}
