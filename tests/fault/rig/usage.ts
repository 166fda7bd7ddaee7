import { readdirSync, readFileSync } from 'node:fs'

/** What processes took, so far. */
export interface Usage {
  cpuSeconds: number
  /** The most resident memory that they had at one moment, in MiB. */
  peakMemoryMiB: number
}

/** Ticks per second and bytes per page, as Linux has them everywhere. */
const [TICKS, PAGE] = [100, 4096]

interface Stat {
  pid: number
  parent: number
  ticks: number
  resident: number
}

/**
 * Measures the descendants of this process, all but those that `leaveOut` names (stores, say) and theirs. What a killed process took is
 * known from its last look, so looks are taken every `everyMs`. Null numbers where the machine has no /proc.
 */
export function measureUsage(leaveOut: () => number[], everyMs = 500): { read(): Usage; stop(): void } {
  const last = new Map<number, number>()
  let peak = 0

  function look(): void {
    const stats = readStats()
    const skipped = new Set(leaveOut())
    const mine: Stat[] = []
    let parents = new Set([process.pid])
    while (parents.size > 0) {
      const found = stats.filter(({ pid, parent }) => parents.has(parent) && !skipped.has(pid))
      mine.push(...found)
      parents = new Set(found.map(({ pid }) => pid))
    }
    for (const { pid, ticks } of mine) last.set(pid, Math.max(ticks, last.get(pid) ?? 0))
    peak = Math.max(
      peak,
      mine.reduce((sum, { resident }) => sum + resident, 0),
    )
  }

  look()
  const before = total()
  const timer = setInterval(look, everyMs)
  function total(): number {
    return [...last.values()].reduce((sum, ticks) => sum + ticks, 0) / TICKS
  }

  return {
    read() {
      look()
      return { cpuSeconds: Math.round((total() - before) * 10) / 10, peakMemoryMiB: Math.round((peak * PAGE) / 2 ** 20) }
    },
    stop: () => clearInterval(timer),
  }
}

function readStats(): Stat[] {
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The name may hold spaces: fields are counted after its parenthesis (proc_pid_stat(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const [parent, user, system, resident] = [1, 11, 12, 21].map((at) => Number(fields[at])) as [number, number, number, number]
      return [{ pid: Number(pid), parent, ticks: user + system, resident }]
    } catch {
      return []
    }
  })
}
