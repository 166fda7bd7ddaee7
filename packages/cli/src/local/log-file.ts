import { closeSync, copyFileSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'

const LIMIT = 32 * 1024 * 1024

/** Opens a log for appending, for a child process to write to. The caller closes the descriptor. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  limitLog(path)
  return openSync(path, 'a')
}

/** Keeps a log and its predecessor (`.1`) under 32 MB each. Emptied in place: whoever appends to it holds its descriptor. */
export function limitLog(path: string): void {
  if (!existsSync(path) || statSync(path).size < LIMIT) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path, 0)
}

/** The last lines of a log, at most 4 KB of them: what a failure is explained with. */
export function logTail(path: string, lines = 8): string {
  if (!existsSync(path)) return ''
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, 4096))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    closeSync(file)
  }
}
