import type { Log } from '@copydesk/pipeline'

/** One duty of the keeper, done again and again while this process holds the lease. */
export interface Duty {
  name: string
  everyMs: number
  /** Done while Redis and archive don't belong together, too. */
  always?: boolean
  /** Does it; answers what to log, or null where nothing was to be done. */
  run(): Promise<object | null>
}

export interface KeeperOptions {
  duties: Duty[]
  lease: { hold(): Promise<boolean>; release(): Promise<void> }
  /** Whether Redis and archive belong together: most duties wait while they don't. */
  open: () => boolean
  log: Log
  tickMs: number
  now?: () => number
}

/** When a duty that failed is tried again, in milliseconds. */
const SOON_MS = 15_000

/** Does the duties under the lease, one after another, each as often as it says. A duty that throws is tried again soon. */
export function startKeeper({ duties, lease, open, log, tickMs, now = Date.now }: KeeperOptions) {
  const due = new Map(duties.map((duty) => [duty.name, 0]))
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()

  async function doDue(): Promise<void> {
    if (!(await lease.hold())) return
    for (const duty of duties) {
      if (closed || !(open() || duty.always) || (due.get(duty.name) ?? 0) > now()) continue
      due.set(duty.name, now() + duty.everyMs)
      try {
        const done = await duty.run()
        if (done) log.info({ duty: duty.name, ...done }, 'kept')
      } catch (error) {
        due.set(duty.name, now() + Math.min(duty.everyMs, SOON_MS))
        log.warn({ duty: duty.name, reason: error instanceof Error ? error.message : String(error) }, 'a duty failed and is tried again')
      }
    }
  }

  async function loop(): Promise<void> {
    turn = doDue().catch((error: unknown) => log.warn({ reason: String(error) }, 'the keeper could not hold its lease'))
    await turn
    if (!closed) timer = setTimeout(() => void loop(), tickMs)
  }
  void loop()

  return {
    async close(): Promise<void> {
      closed = true
      clearTimeout(timer)
      await turn
      await lease.release().catch(() => undefined)
    },
  }
}
