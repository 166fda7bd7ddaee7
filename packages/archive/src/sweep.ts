import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint, type Log } from '@copydesk/pipeline'
import { openIfThere } from './descriptors.ts'
import { readFolder, statIfThere } from './list.ts'
import { CLOSING, isDraft, OPEN, segmentKind, segmentPath } from './names.ts'
import { syncFolder } from './segment.ts'
import { processOf } from './members.ts'
import { firstRecord, type Gap, walkSegment } from './walk.ts'

export interface SweepOptions {
  folder: string
  /** A segment that was written within this many milliseconds is left alone. Twice what a live process takes to close one, or more. */
  untouchedMs: number
  /** Whether a process, by the id that its segments name, still has its lease. */
  isAlive: (processId: string) => Promise<boolean>
  log: Log
  /** The time, in milliseconds since 1970. */
  now?: () => number
}

/** The segments, by name, that a sweep closed; of these, those with a torn tail that was cut; and those without any record that it removed. */
export interface Swept {
  closed: string[]
  cut: string[]
  removed: string[]
}

/**
 * Closes the segments that dead processes left open, and removes drafts that they left. Harmless when done twice, by two at once, or killed
 * anywhere: what is half done is found by its mark (`.closing`) and done again. A process that was only frozen finds the name of its segment gone
 * and begins a new one; whatever it gave a reference to before is kept. Rejects where `isAlive` does.
 */
export async function sweepSegments({ folder, untouchedMs, isAlive, log, now = Date.now }: SweepOptions): Promise<Swept> {
  const isUntouched = async (name: string) => {
    const file = await statIfThere(join(folder, name))
    return file !== null && now() - file.mtimeMs >= untouchedMs
  }
  async function attempt<T>(segment: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      log.warn({ segment, err: String(error) }, 'segment of a dead process not closed')
      return undefined
    }
  }

  const names = await readFolder(folder)
  for (const name of names.filter((each) => isDraft(each))) if (await isUntouched(name)) await rm(join(folder, name), { force: true })
  for (const segment of segmentsWith(OPEN, names)) {
    if (!(await isUntouched(segment + OPEN))) continue
    const writer = await attempt(segment, () => writerOf(segmentPath(folder, segment) + OPEN))
    if (writer === undefined || (writer !== null && (await isAlive(writer)))) continue
    await attempt(segment, () => takeName(folder, segment))
  }
  const swept: Swept = { closed: [], cut: [], removed: [] }
  // Also what an earlier sweep was killed over.
  for (const segment of segmentsWith(CLOSING, await readFolder(folder))) {
    if ((await statIfThere(segmentPath(folder, segment) + OPEN)) === null) await attempt(segment, () => finish(folder, segment, swept, log))
  }
  return swept
}

function segmentsWith(suffix: string, names: string[]): string[] {
  const found = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
  return found.filter((name) => segmentKind(name) !== null)
}

/** The process that a segment names; null where it names none, or its first record isn't whole. */
async function writerOf(path: string): Promise<string | null> {
  const handle = await openIfThere(path)
  if (handle === null) return null
  try {
    const first = await firstRecord(handle)
    return first?.fields.get('warc-type') === 'warcinfo' ? processOf(first) : null
  } finally {
    await handle.close()
  }
}

/**
 * Marks the segment and takes `.open` off its name. From here on its writer, should it still live, gives out nothing more: it looks for the name
 * after each write. So what the writer gave out was written before, and is seen by whoever looks at the content now.
 */
async function takeName(folder: string, segment: string): Promise<void> {
  const path = segmentPath(folder, segment)
  const mark = await open(path + CLOSING, 'a', 0o640)
  await mark.close()
  await syncFolder(folder)
  failpoint('segment.rename', 'before')
  try {
    await rename(path + OPEN, path)
  } catch (error) {
    // Its writer or another sweep was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  failpoint('segment.rename', 'after')
}

/** Cuts the torn tail of a segment, or removes one that holds no record, and takes its mark away. */
async function finish(folder: string, segment: string, swept: Swept, log: Log): Promise<void> {
  const path = segmentPath(folder, segment)
  const found = await cutTail(path)
  if (found !== null && found.records === 0) {
    await rm(path, { force: true })
    swept.removed.push(segment)
    log.info({ segment, cut: found.cut }, 'segment without a record removed')
  } else if (found !== null) {
    swept.closed.push(segment)
    if (found.cut > 0) swept.cut.push(segment)
    log.info({ segment, records: found.records, cut: found.cut }, 'segment of a dead process closed')
  }
  // The mark goes last: without it nobody would come back for what isn't on the disk yet.
  await syncFolder(folder)
  await rm(path + CLOSING, { force: true })
  await syncFolder(folder)
}

/** Cuts what lies behind the last whole record, and syncs the rest. Answers how many records there are, `warcinfo` aside, and how many bytes were cut; null where the segment is gone. */
async function cutTail(path: string): Promise<{ records: number; cut: number } | null> {
  const handle = await openIfThere(path, 'r+')
  if (handle === null) return null
  try {
    let records = 0
    let tail: Gap | null = null
    for await (const piece of walkSegment(handle, 0)) {
      if (!('record' in piece)) tail = piece.tail ? piece : null
      else if (piece.record.fields.get('warc-type') !== 'warcinfo') records += 1
    }
    if (tail !== null) await handle.truncate(tail.at)
    await handle.sync()
    return { records, cut: tail === null ? 0 : tail.end - tail.at }
  } finally {
    await handle.close()
  }
}
