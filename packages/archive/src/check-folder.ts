import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { explainDisk } from './explain-disk.ts'
import { TRIAL } from './names.ts'
import { syncFolder } from './segment.ts'

/** What is written on trial, in bytes: more than a file system keeps in a file's own entry. */
const TRIAL_BYTES = 64 * 1024

/**
 * Makes sure, before any work comes, that the archive's folder can be written and read, by doing it: the folder is made where it is missing; a
 * file of so many bytes is made, synced, read and removed. Throws an Error with cause and cure.
 */
export async function checkFolder(folder: string, bytes = TRIAL_BYTES): Promise<void> {
  const trial = Buffer.alloc(bytes, 'copydesk ')
  const path = join(folder, `${TRIAL}.${randomUUID()}`)
  try {
    await attempt('write to', folder, async () => {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      await writeTrial(path, trial)
    })
    await attempt('read', folder, async () => {
      if (!(await readFile(path)).equals(trial)) throw new Error('what was written there reads differently: check the disk')
      await readdir(folder)
      await syncFolder(folder)
    })
  } finally {
    await rm(path, { force: true }).catch(() => undefined)
  }
}

async function writeTrial(path: string, trial: Buffer): Promise<void> {
  const handle = await open(path, 'wx', 0o640)
  try {
    await handle.writeFile(trial)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function attempt(doing: 'read' | 'write to', folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new Error(explainDisk(doing, folder, error), { cause: error })
  }
}
