import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@copydesk/pipeline'
import { readFolder, statIfThere } from './list.ts'
import { CLOSING, segmentKind } from './names.ts'
import { syncFolder } from './segment.ts'

export interface RemoveOptions {
  folder: string
  /** What may go by age. The rest is the ledger itself, and is never removed. */
  kind: 'raw' | 'clean'
  /** What was changed at or after this time (ms since 1970) stays. */
  beforeMs: number
  /** The segments that an entry in flight or a dead letter refers to: they stay. Gathered just before. */
  inUse: ReadonlySet<string>
  log: Log
}

export interface RemovedSegments {
  /** The segments that are gone, by name, and how many bytes they held. */
  removed: string[]
  bytes: number
  /** The segments that are old enough, but in use. */
  kept: string[]
}

/** Removes whole closed segments by age. Throws a TypeError for another kind than raw and clean. A kill in between leaves the rest for the next time. */
export async function removeSegments({ folder, kind, beforeMs, inUse, log }: RemoveOptions): Promise<RemovedSegments> {
  if (kind !== 'raw' && kind !== 'clean')
    throw new TypeError(`segments of ${String(kind)} are never removed by age: only raw and clean are`)
  const result: RemovedSegments = { removed: [], bytes: 0, kept: [] }
  const names = await readFolder(folder)
  const closing = new Set(names.filter((name) => name.endsWith(CLOSING)))
  for (const segment of names.filter((name) => segmentKind(name) === kind && !closing.has(name + CLOSING))) {
    const path = join(folder, segment)
    const file = await statIfThere(path)
    if (file === null || file.mtimeMs >= beforeMs) continue
    if (inUse.has(segment)) {
      result.kept.push(segment)
    } else if (await removeIfThere(path)) {
      result.removed.push(segment)
      result.bytes += file.size
      log.info({ segment, bytes: file.size }, 'segment removed by age')
    }
  }
  if (result.removed.length > 0) await syncFolder(folder)
  return result
}

async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
