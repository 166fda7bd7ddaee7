import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint } from '@copydesk/pipeline'
import { plainName, readFolder } from './list.ts'
import { EPOCH, segmentKind } from './names.ts'
import { syncFolder } from './segment.ts'

/** The archive's epoch, or null where it has none yet. */
export async function readEpoch(folder: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, EPOCH), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Gives the archive its epoch, once and for ever: of several that try, one writes. It is synced when this resolves. */
export async function writeEpoch(folder: string, epoch: string): Promise<'written' | 'exists'> {
  await mkdir(folder, { recursive: true, mode: 0o750 })
  const draft = join(folder, `${EPOCH}.${randomUUID()}`)
  try {
    await writeSynced(draft, `${epoch}\n`)
    // A link is exclusive and shows the file whole: created under its own name it could be found empty after a crash.
    failpoint('epoch.write', 'before')
    await link(draft, join(folder, EPOCH))
    failpoint('epoch.write', 'after')
    return 'written'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return 'exists'
  } finally {
    await rm(draft, { force: true })
    await syncFolder(folder)
  }
}

/** Whether anything was ever kept here. */
export async function hasSegments(folder: string): Promise<boolean> {
  return (await readFolder(folder)).some((name) => segmentKind(plainName(name)) !== null)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o640)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
