import { residentMemory } from './resident-memory.ts'

/** Why the pool itself killed a child. */
export type KillReason = 'aborted' | 'overran' | 'grown'

export interface ChildLimits {
  deadlineMs: number
  /** Most resident memory, in MiB: strings and buffers are no part of the heap that Node caps. */
  residentMb: number
}

/** How often a working child's memory is looked at: most tasks are over before the first look. */
const LOOK_EVERY_MS = 100

/** One task's child while it works: known from the moment it says that it began. */
export interface ChildWatch {
  begin(pid: number): void
  kill(reason: KillReason): void
  /** What it was killed for; null if it wasn't, by us. */
  killedFor(): KillReason | null
  end(): void
}

/** Kills a child that overruns its deadline or grows too large. SIGKILL: nothing that a page makes it do can hold that up. */
export function watchChild({ deadlineMs, residentMb }: ChildLimits): ChildWatch {
  let pid: number | null = null
  let reason: KillReason | null = null
  let timers: { deadline: NodeJS.Timeout; look: NodeJS.Timeout } | null = null

  function kill(why: KillReason): void {
    reason ??= why
    if (pid === null) return
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It died by itself a moment ago: its end is on its way here.
    }
  }

  async function look(): Promise<void> {
    const watched = pid
    const memory = watched === null ? null : await residentMemory(watched)
    if (memory !== null && memory > residentMb && watched === pid) kill('grown')
  }

  return {
    begin(started) {
      pid = started
      timers = { deadline: setTimeout(kill, deadlineMs, 'overran'), look: setInterval(() => void look(), LOOK_EVERY_MS) }
      // Aborted while the task was on its way to the child.
      if (reason !== null) kill(reason)
    },
    kill,
    killedFor: () => reason,
    end() {
      pid = null
      clearTimeout(timers?.deadline)
      clearInterval(timers?.look)
    },
  }
}
