import { type FileHandle, readdir, stat } from 'node:fs/promises'
import type { RecordKind, Reference } from '@copydesk/contracts'
import { json, MAX_RECORD_BYTES } from './archived.ts'
import { openSegment } from './descriptors.ts'
import { readMember } from './member.ts'
import { OPEN, segmentKind, segmentPath } from './names.ts'
import { parseRecord } from './warc-record.ts'

/** A record met on the way through a segment: where it lies, and its JSON (of a page: of its metadata record, the reference covering both). Not yet checked. */
export interface ScannedRecord {
  reference: Reference
  record: unknown
}

/** Bytes read at once; a member that is longer is read in ever larger windows. */
const WINDOW = 1024 * 1024
/** How far the file system's clock may be off ours. */
const SKEW_MS = 60_000

/** Every whole record of a kind, segment by segment, of all segments that were written at or after `sinceMs`. A segment is read up to its torn or growing tail. */
export async function* scanSegments(
  folder: string,
  kind: RecordKind,
  { sinceMs = 0 }: { sinceMs?: number } = {},
): AsyncGenerator<ScannedRecord> {
  for (const segment of await listSegments(folder, kind, sinceMs)) yield* scanSegment(folder, segment, 0)
}

/** The segments of a kind whose last change is at or after `sinceMs`, oldest first. */
export async function listSegments(folder: string, kind: RecordKind, sinceMs: number): Promise<string[]> {
  // Listed twice: a file that is closed (renamed) while the folder is read may be left out, but not in both.
  const names = new Set([...(await readNames(folder)), ...(await readNames(folder))].filter((name) => segmentKind(name) === kind))
  const changed: string[] = []
  for (const name of names) if ((await changedAt(folder, name)) >= sinceMs - SKEW_MS) changed.push(name)
  return changed.toSorted()
}

/** The whole records of one segment from an offset on, at which a member begins. */
export async function* scanSegment(folder: string, segment: string, offset: number): AsyncGenerator<ScannedRecord> {
  let pageAt: number | null = null
  for await (const { at, end, data } of membersOf(folder, segment, offset)) {
    const record = parseRecord(data)
    if (record === null) return
    const type = record.fields.get('warc-type')
    if (type === 'response' || type === 'resource') pageAt = at
    if (type !== 'metadata' && type !== 'conversion') continue
    const start = pageAt ?? at
    pageAt = null
    yield { reference: { store: 'file', segment, offset: start, length: end - start }, record: json(record) }
  }
}

interface Member {
  at: number
  end: number
  data: NonSharedBuffer
}

async function* membersOf(folder: string, segment: string, offset: number): AsyncGenerator<Member> {
  const handle = await openIfThere(folder, segment)
  if (handle === null) return
  try {
    let at = offset
    let window = WINDOW
    for (;;) {
      const bytes = await readWindow(handle, at, window)
      let inside = 0
      let read = readMember(bytes, inside, MAX_RECORD_BYTES)
      while (read.state === 'whole') {
        yield { at: at + inside, end: at + read.end, data: read.data }
        inside = read.end
        read = readMember(bytes, inside, MAX_RECORD_BYTES)
      }
      // Short in a window that the file filled: the next window begins at that member. Anything else is the end, or a torn tail.
      if (read.state !== 'short' || bytes.length < window || window > MAX_RECORD_BYTES) return
      at += inside
      window = inside === 0 ? window * 4 : WINDOW
    }
  } finally {
    await handle.close()
  }
}

async function readWindow(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

async function readNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).map((name) => (name.endsWith(OPEN) ? name.slice(0, -OPEN.length) : name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** When a segment was last written, in milliseconds; -Infinity where it is gone. */
async function changedAt(folder: string, segment: string): Promise<number> {
  const path = segmentPath(folder, segment)
  for (const name of [path + OPEN, path]) {
    try {
      return (await stat(name)).mtimeMs
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return -Infinity
}

async function openIfThere(folder: string, segment: string): Promise<FileHandle | null> {
  try {
    return await openSegment(folder, segment)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
