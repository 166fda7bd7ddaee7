import type { FileHandle } from 'node:fs/promises'

/** Bytes read at once. */
const WINDOW = 1024 * 1024

/** A file's bytes up to the size that it had at first, read in large pieces. */
export interface Window {
  /** Where the file ends: less than at first, where it was cut meanwhile. */
  size(): number
  /** The bytes from a position on: at least `length`, or all that are left. Good until the next call. */
  read(position: number, length: number): Promise<Buffer>
  /** Where the pattern is found next, at or behind a position; null where it isn't. */
  find(pattern: Buffer, position: number): Promise<number | null>
}

/** Opens a window on a file. What is appended from now on isn't seen: a growing file is read as it was at one moment. */
export async function openWindow(handle: FileHandle): Promise<Window> {
  let { size } = await handle.stat()
  let start = 0
  let bytes = Buffer.alloc(0)

  async function read(position: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, size - position)
    if (position < start || position + wanted > start + bytes.length) {
      bytes = await readFrom(handle, position, Math.min(Math.max(length, WINDOW), size - position))
      start = position
      if (bytes.length < wanted) size = position + bytes.length
    }
    return bytes.subarray(position - start)
  }

  return {
    size: () => size,
    read,
    async find(pattern, position) {
      for (let from = position; from + pattern.length <= size;) {
        const seen = await read(from, pattern.length)
        const at = seen.indexOf(pattern)
        if (at !== -1) return from + at
        from += Math.max(1, seen.length - pattern.length + 1)
      }
      return null
    },
  }
}

async function readFrom(handle: FileHandle, position: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
