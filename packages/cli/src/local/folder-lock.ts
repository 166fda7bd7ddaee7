import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

const Owner = z.object({ pid: z.int(), started: z.string().nullable() })

export interface FolderLock {
  release: () => void
}

/** Takes the lock file `path`, or says who holds it. A lock whose owner is gone counts as free. */
export function tryLock(path: string): FolderLock | ProcessIdentity {
  mkdirSync(dirname(path), { recursive: true })
  const own = `${path}.${randomUUID()}`
  // Written first and linked then, so that nobody ever reads a lock without its owner.
  writeFileSync(own, JSON.stringify(identify(process.pid)))
  try {
    for (;;) {
      if (linked(own, path)) return { release: () => rmSync(path, { force: true }) }
      const owner = readOwner(path)
      if (owner && isAlive(owner)) return owner
      removeStale(path, owner)
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Waits until the lock file `path` is free and takes it. Throws when it isn't within `ms` milliseconds. */
export async function lock(path: string, ms: number): Promise<FolderLock> {
  const deadline = Date.now() + ms
  for (;;) {
    const result = tryLock(path)
    if ('release' in result) return result
    if (Date.now() > deadline) {
      throw new Error(`process ${result.pid} has held ${path} for ${Math.round(ms / 1000)} s: end it and try again`)
    }
    await sleep(100)
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readOwner(path: string): ProcessIdentity | null {
  try {
    return Owner.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

/** Two may find the same stale lock: it is moved aside first, and put back if meanwhile it had become somebody's. */
function removeStale(path: string, stale: ProcessIdentity | null): void {
  const aside = `${path}.${randomUUID()}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readOwner(aside)
  if (moved && (moved.pid !== stale?.pid || moved.started !== stale.started)) linked(aside, path)
  rmSync(aside, { force: true })
}
