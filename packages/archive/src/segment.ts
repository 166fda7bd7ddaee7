import { open, rename, stat, unlink } from 'node:fs/promises'
import { failpoint } from '@copydesk/pipeline'
import { infoMember } from './members.ts'
import { OPEN, segmentKind, segmentPath } from './names.ts'

/** A segment file that this process, and no other, appends to. */
export interface Segment {
  readonly name: string
  /** Bytes written and synced: where the next member begins. */
  size(): number
  /** Appends and syncs. Once it has thrown, the file may have a torn tail and must only be abandoned. */
  append(members: readonly Uint8Array[]): Promise<void>
  /** Closes the file and takes `.open` off its name. */
  close(): Promise<void>
  /** Leaves the file as it is, for readers of what it holds; removes it where nobody was given a reference into it. */
  abandon(): Promise<void>
}

/** Creates a segment of a new name (`newSegmentName`) that holds its `warcinfo` record, which names the process; file and folder are synced. */
export async function createSegment(folder: string, name: string, processId: string | null = null): Promise<Segment> {
  const path = segmentPath(folder, name)
  const sync = `sync.${segmentKind(name)!}` as const
  failpoint('segment.create', 'before')
  const handle = await open(path + OPEN, 'ax', 0o640)
  let size = 0
  let given = false

  async function write(members: readonly Uint8Array[]): Promise<number> {
    const total = members.reduce((sum, member) => sum + member.byteLength, 0)
    const { bytesWritten } = await handle.writev(members)
    if (bytesWritten !== total) throw new Error(`only ${bytesWritten} of ${total} bytes were taken`)
    // Asked after the write: whatever else wrote to the file, before or meanwhile, shows here, and one that was removed or closed too.
    const file = await handle.stat()
    if (file.size !== size + total) throw new Error(`the segment has ${file.size} bytes where ${size + total} were expected`)
    if (file.nlink === 0) throw new Error('the segment was removed while it was written')
    // The sweep takes the name before it looks at what to cut: what was written while the name stood is never cut.
    const named = await stat(path + OPEN).catch(() => null)
    if (named?.ino !== file.ino) throw new Error('the segment was closed by another while it was written')
    return total
  }

  async function abandon(): Promise<void> {
    await handle.close()
    if (!given) await unlink(path + OPEN)
  }

  try {
    const written = await write([await infoMember(name, processId)])
    await handle.datasync()
    size = written
    await syncFolder(folder)
    failpoint('segment.create', 'after')
  } catch (error) {
    await abandon().catch(() => undefined)
    throw error
  }
  return {
    name,
    size: () => size,
    append: async (members) => {
      const written = await write(members)
      failpoint(sync, 'before')
      await handle.datasync()
      failpoint(sync, 'after')
      size += written
      given = true
    },
    close: async () => {
      await handle.close()
      await closeName(path)
      await syncFolder(folder)
    },
    abandon,
  }
}

/** Makes names in a folder durable: a file's own sync says nothing about its name. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Takes `.open` off a segment's name. Another may have done so: a process that was frozen for long finds its segment closed by the sweep. */
export async function closeName(path: string): Promise<void> {
  failpoint('segment.rename', 'before')
  try {
    await rename(path + OPEN, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await stat(path)
  }
  failpoint('segment.rename', 'after')
}
