import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, openSync, closeSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Skipped } from './skipped.ts'

/** A disk of a few megabytes, which can be filled up. */
export interface SmallDisk {
  folder: string
  /** Fills it until less than so many bytes are free; 0 until nothing goes on it. */
  fill(leaveBytes: number): void
  /** Takes the filling away. */
  empty(): void
  freeBytes(): number
  close(): void
}

/** Mounts a file system in memory. Throws Skipped where this user may not. */
export function mountSmallDisk(folder: string, mebibytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string }
    throw new Skipped(`no small disk can be mounted here (${stderr?.toString().trim() || message}): it takes root and mount(8)`)
  }
  const filling = join(folder, 'filling')
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  return {
    folder,
    freeBytes,
    fill(leaveBytes) {
      const file = openSync(filling, 'a')
      try {
        for (let over = freeBytes() - leaveBytes; over > 0; over = freeBytes() - leaveBytes)
          writeSync(file, Buffer.alloc(Math.min(over, 65_536)))
        // What others write meanwhile may leave less than a page: then this fails, and the disk is as full as it gets.
        if (leaveBytes === 0) appendFileSync(filling, Buffer.alloc(65_536))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(filling, { force: true }),
    close: () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }),
  }
}
