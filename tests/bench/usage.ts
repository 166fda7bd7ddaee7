import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What some processes and all their children have used, dead ones included. */
export interface Usage {
  /** Looks at once: just before a kill, so that what the victim used is not missed. */
  look(): void
  /** CPU seconds so far, user and system; of a process that ended, as far as its last look. */
  cpuSeconds(): number
  /** The greatest sum of resident memory at one look, in MiB. What processes share is counted in each. */
  peakMemoryMiB(): number
  /** The same with shared memory divided among those that share it (PSS). */
  peakProportionalMiB(): number
  stop(): void
}

const LOOK_MS = 250
const PROPORTIONAL_EVERY = 8
const MIB = 1024 * 1024

interface Stat {
  pid: number
  parent: number
  key: string
  ticks: number
  pages: number
}

/** Looks at the processes `roots` and their descendants four times a second. Linux only: it reads /proc. */
export function watchUsage(roots: () => number[]): Usage {
  const [ticksPerSecond, pageBytes] = [getconf('CLK_TCK'), getconf('PAGESIZE')]
  /** By pid and start time: the CPU time as last seen. Who was once seen stays, wherever its parent's death moves it. */
  const seen = new Map<string, number>()
  let [peak, peakProportional, looks] = [0, 0, 0]

  function look(): void {
    const family = descendants(allStats(), new Set(roots()), seen)
    for (const { key, ticks } of family) seen.set(key, Math.max(ticks, seen.get(key) ?? 0))
    peak = Math.max(peak, family.reduce((sum, { pages }) => sum + pages, 0) * pageBytes)
    looks += 1
    if (looks % PROPORTIONAL_EVERY !== 1) return
    peakProportional = Math.max(
      peakProportional,
      family.reduce((sum, { pid }) => sum + proportionalBytes(pid), 0),
    )
  }

  look()
  const timer = setInterval(look, LOOK_MS)
  return {
    look,
    cpuSeconds: () => [...seen.values()].reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond,
    peakMemoryMiB: () => peak / MIB,
    peakProportionalMiB: () => peakProportional / MIB,
    stop: () => clearInterval(timer),
  }
}

/** CPU seconds that one process has used so far; 0 where it is gone. */
export function cpuSecondsOf(pid: number): number {
  return (readStat(pid)?.ticks ?? 0) / getconf('CLK_TCK')
}

function descendants(stats: Stat[], roots: ReadonlySet<number>, seen: ReadonlyMap<string, number>): Stat[] {
  const family = new Map(stats.filter(({ pid, key }) => roots.has(pid) || seen.has(key)).map((stat) => [stat.pid, stat]))
  // A child may be listed before its parent: look until nobody is added.
  for (let before = -1; before < family.size;) {
    before = family.size
    for (const stat of stats) if (family.has(stat.parent)) family.set(stat.pid, stat)
  }
  return [...family.values()]
}

function allStats(): Stat[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []))
}

/** The name in parentheses may hold spaces and parentheses: the fields are counted after the last one (proc_pid_stat(5)). */
function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const number = (at: number): number => Number(fields[at - 3])
    return { pid, parent: number(4), key: `${pid}:${fields[19]}`, ticks: number(14) + number(15), pages: number(24) }
  } catch {
    return null
  }
}

function proportionalBytes(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function getconf(name: string): number {
  return Number(execFileSync('getconf', [name], { encoding: 'utf8' }))
}
