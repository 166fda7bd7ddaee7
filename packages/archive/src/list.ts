import { readdir, stat } from 'node:fs/promises'
import type { RecordKind } from '@copydesk/contracts'
import { OPEN, segmentKind, segmentPath } from './names.ts'

/** How far the file system's clock may be off ours. */
const SKEW_MS = 60_000

/** The segments of a kind whose last change is at or after `sinceMs`, oldest first. */
export async function listSegments(folder: string, kind: RecordKind, sinceMs: number): Promise<string[]> {
  return (await listFiles(folder, kind, sinceMs)).map(({ segment }) => segment)
}

/** The same with their sizes in bytes. */
export async function listFiles(folder: string, kind: RecordKind, sinceMs: number): Promise<{ segment: string; bytes: number }[]> {
  // Listed twice: a file that is closed (renamed) while the folder is read may be left out, but not in both.
  const names = [...(await readFolder(folder)), ...(await readFolder(folder))].map((name) => plainName(name))
  const files: { segment: string; bytes: number }[] = []
  for (const segment of [...new Set(names)].filter((name) => segmentKind(name) === kind).toSorted()) {
    const file = await statSegment(folder, segment)
    if (file !== null && file.mtimeMs >= sinceMs - SKEW_MS) files.push({ segment, bytes: file.size })
  }
  return files
}

/** The names in a folder; none where it isn't there. */
export async function readFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** A file's name without the `.open` of a segment that grows. */
export function plainName(name: string): string {
  return name.endsWith(OPEN) ? name.slice(0, -OPEN.length) : name
}

async function statSegment(folder: string, segment: string): Promise<{ size: number; mtimeMs: number } | null> {
  const path = segmentPath(folder, segment)
  return (await statIfThere(path + OPEN)) ?? (await statIfThere(path))
}

/** A file's size and last change (ms since 1970); null where it isn't there. */
export async function statIfThere(path: string): Promise<{ size: number; mtimeMs: number } | null> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
