import { type FileHandle, open } from 'node:fs/promises'
import { OPEN, segmentPath } from './names.ts'

/** Open segments, kept by name: a rename doesn't matter to a descriptor. */
export interface Descriptors {
  /** Runs `work` on the segment's descriptor, which stays open meanwhile. */
  use<Result>(segment: string, work: (handle: FileHandle) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

interface Entry {
  handle: Promise<FileHandle>
  users: number
  evicted: boolean
}

/** Keeps up to `limit` segments open, the longest unused are closed first. */
export function createDescriptors(folder: string, limit: number): Descriptors {
  // A Map keeps the order of insertion: the first entry is the one unused for longest.
  const entries = new Map<string, Entry>()

  function take(segment: string): Entry {
    const entry = entries.get(segment) ?? { handle: openSegment(folder, segment), users: 0, evicted: false }
    entries.delete(segment)
    entries.set(segment, entry)
    entry.users += 1
    for (const [name, oldest] of entries) {
      if (entries.size <= limit) break
      evict(name, oldest)
    }
    return entry
  }

  function evict(segment: string, entry: Entry): void {
    if (entries.get(segment) === entry) entries.delete(segment)
    entry.evicted = true
    if (entry.users === 0) void closeQuietly(entry)
  }

  return {
    async use(segment, work) {
      const entry = take(segment)
      try {
        return await work(await entry.handle)
      } catch (error) {
        evict(segment, entry)
        throw error
      } finally {
        entry.users -= 1
        if (entry.evicted && entry.users === 0) await closeQuietly(entry)
      }
    },
    async close() {
      const all = [...entries]
      for (const [segment, entry] of all) evict(segment, entry)
      await Promise.all(all.map(([, entry]) => closeQuietly(entry)))
    },
  }
}

/** Opens a segment for reading. `.open` first and the plain name after it: the other order misses a file that is closed in between (6 of 40,000 reads, when it was tried). */
export async function openSegment(folder: string, segment: string): Promise<FileHandle> {
  const path = segmentPath(folder, segment)
  return (await openIfThere(path + OPEN)) ?? (await open(path, 'r'))
}

/** The same with whether it was found under its open name; null where it is gone. */
export async function openNamed(folder: string, segment: string): Promise<{ handle: FileHandle; isOpen: boolean } | null> {
  const path = segmentPath(folder, segment)
  const growing = await openIfThere(path + OPEN)
  if (growing !== null) return { handle: growing, isOpen: true }
  const closed = await openIfThere(path)
  return closed === null ? null : { handle: closed, isOpen: false }
}

/** Opens a file; null where it isn't there. */
export async function openIfThere(path: string, flags: 'r' | 'r+' = 'r'): Promise<FileHandle | null> {
  try {
    return await open(path, flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function closeQuietly(entry: Entry): Promise<void> {
  await entry.handle.then((handle) => handle.close()).catch(() => undefined)
}
