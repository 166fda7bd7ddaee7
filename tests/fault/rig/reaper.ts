import { FAILPOINTS, type Failpoint, type FailpointSide } from '@copydesk/pipeline'
import type { Random } from './random.ts'
import type { Rig } from './system.ts'

/** A failpoint and a side of it: `sync.raw:before`. */
export type Target = `${Failpoint}:${FailpointSide}`

export const ALL_TARGETS: readonly Target[] = FAILPOINTS.flatMap((name) => [`${name}:before`, `${name}:after`] as const)

/** Which processes pass a failpoint in everyday work. */
const BY_SERVICE: Record<string, readonly Failpoint[]> = {
  api: ['sync.intake', 'accept', 'add-all', 'retry', 'dismiss'],
  fetch: ['sync.raw', 'start', 'hand-over', 'put-back', 'add', 'segment.create', 'segment.rename'],
  clean: ['sync.clean', 'start', 'hand-over', 'death', 'add', 'segment.create', 'segment.rename'],
  'extract-metadata': ['sync.article', 'start', 'hand-over', 'add', 'segment.create', 'segment.rename'],
  index: ['sync.ends', 'end', 'bulk', 'start', 'segment.create', 'segment.rename'],
  scheduler: ['mark'],
}
/** Those that a process passes but once in a while: it is killed at the first pass. */
const RARE: readonly string[] = [
  'sync.intake',
  'segment.create',
  'segment.rename',
  'death',
  'retry',
  'dismiss',
  'put-back',
  'mark',
  'add-all',
]
/** A process is killed at one of its first passes. */
const MOST_PASSES = 4
/** Not met for so long, a process is given another failpoint. */
const PATIENCE_MS = 10_000

/** Arms processes with failpoints, life after life, and counts which of them ended one. */
export interface Reaper {
  /** How often each was met. */
  met: Map<Target, number>
  /** What is not met as often as it should be, of what everyday work passes. */
  left(): Target[]
  /** The failpoint that a process waits for in this life; null where it waits for none. */
  waitsFor(name: string): Target | null
  /** Starts anew what waits for its failpoint too long. */
  tick(): void
  /** Ends it: what is armed is started once more. */
  stop(): void
}

/** Every process of the rig is armed at its next start; `wanted` says how often each failpoint and side shall be met. */
export function createReaper(
  rig: Rig,
  random: Random,
  wanted: ReadonlyMap<Target, number>,
  onKill: (name: string, target: Target) => void,
): Reaper {
  const met = new Map<Target, number>()
  const armed = new Map<string, { target: Target; since: number }>()
  let stopped = false
  const names = rig.system.processes().map(({ name }) => name)
  const lacks = (target: Target): boolean => (met.get(target) ?? 0) < (wanted.get(target) ?? 0)
  const targetsOf = (name: string): Target[] =>
    (BY_SERVICE[name.replace(/-\d+$/, '')] ?? []).flatMap((each) => [`${each}:before`, `${each}:after`] as Target[])

  function choose(name: string): Target | null {
    const lacking = targetsOf(name).filter(lacks)
    const taken = new Set([...armed.values()].map(({ target }) => target))
    const free = lacking.filter((target) => !taken.has(target))
    return lacking.length === 0 ? null : random.one(free.length > 0 ? free : lacking)
  }

  function arm(name: string): void {
    const target = stopped ? null : choose(name)
    armed.delete(name)
    if (target === null) return
    armed.set(name, { target, since: Date.now() })
    const pass = RARE.includes(target.split(':')[0]!) ? 1 : random.whole(1, MOST_PASSES)
    rig.arm(name, `${target}@${pass}`)
  }

  rig.onNotice((text) => {
    const [, name = '', how] = /^(\S+) ended \(([^)]+)\)/.exec(text) ?? []
    if (!names.includes(name) || stopped) return
    const was = armed.get(name)
    if (was && how === 'SIGKILL') {
      met.set(was.target, (met.get(was.target) ?? 0) + 1)
      onKill(name, was.target)
    }
    arm(name)
  })
  // Their next life is the first that can be armed.
  for (const name of names) rig.system.kill(name, 'SIGTERM')

  return {
    met,
    waitsFor: (name) => armed.get(name)?.target ?? null,
    left: () => [...new Set(names.flatMap(targetsOf))].filter(lacks),
    tick() {
      for (const [name, { since, target }] of armed)
        if (Date.now() - since > PATIENCE_MS || !lacks(target)) {
          armed.delete(name)
          rig.system.kill(name, 'SIGTERM')
        }
    },
    stop() {
      stopped = true
      for (const name of armed.keys()) rig.system.kill(name, 'SIGTERM')
      armed.clear()
    },
  }
}
