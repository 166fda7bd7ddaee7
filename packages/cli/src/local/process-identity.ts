import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'

/** A process, told apart from a later one to which the system gave the same id. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in the system's own notation; null where the system doesn't say. */
  started: string | null
}

/** Who has this pid now; null when nobody has, or only a dead child that was never waited for. */
export function identify(pid: number): ProcessIdentity | null {
  if (!isThere(pid)) return null
  if (process.platform !== 'linux') return { pid, started: startedByPs(pid) }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold spaces and parentheses: the fields are counted after the last one (proc_pid_stat(5)).
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? null : { pid, started: fields[18] ?? null }
  } catch {
    return null
  }
}

/** True while the very process that was identified runs. */
export function isAlive(known: ProcessIdentity): boolean {
  const now = identify(known.pid)
  return now !== null && (known.started === null || now.started === known.started)
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, though it belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startedByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}
