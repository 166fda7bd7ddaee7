import { promisify } from 'node:util'
import { constants, crc32, gzip, gzipSync, inflateRawSync } from 'node:zlib'

const gzipAside = promisify(gzip)
const TRAILER = 8
/** Above this a member is compressed off the main thread; below, the detour costs more than it frees (0.9 ms for 120 KB at level 1). */
const ASIDE_BYTES = 256 * 1024

/** One gzip member, as each WARC record is (WARC/1.1, annex D). Level 0 for bytes that are compressed already: a quarter of the time, the same size. */
export async function writeMember(data: Uint8Array, level: 0 | 1): Promise<Buffer> {
  return data.byteLength > ASIDE_BYTES ? gzipAside(data, { level }) : gzipSync(data, { level })
}

/** What is decoded at once: most pages are, and then needn't be put together (120 KB: 195 MB/s of members, in pieces of 16 KB 112). */
const CHUNK = 128 * 1024

/** How a gzip member begins (RFC 1952 §2.3.1): its two magic bytes and its one method. */
export const MAGIC: Buffer = Buffer.from([0x1f, 0x8b, 8])

/**
 * `short`: the bytes end before the member does; `corrupt`: they are no gzip member, or not what was written (with an `end` where only the
 * checksum says so); `large`: over the cap.
 */
export type MemberRead = { state: 'whole'; data: NonSharedBuffer; end: number } | { state: 'short' | 'corrupt' | 'large'; end?: number }

/** Reads the member that begins at `offset`; `end` is where the next one begins. `maxBytes` caps what is decoded. */
export function readMember(bytes: Buffer, offset: number, maxBytes: number): MemberRead {
  const start = deflateStart(bytes, offset)
  if (typeof start === 'string') return { state: start }
  try {
    const options = { info: true, maxOutputLength: maxBytes, chunkSize: CHUNK }
    const { buffer: data, engine } = inflateRawSync(bytes.subarray(start), options) as unknown as Inflated
    const trailer = start + engine.bytesWritten
    if (trailer + TRAILER > bytes.length) return { state: 'short' }
    const isWhole = bytes.readUInt32LE(trailer) === crc32(data) && bytes.readUInt32LE(trailer + 4) === data.length
    return isWhole ? { state: 'whole', data, end: trailer + TRAILER } : { state: 'corrupt', end: trailer + TRAILER }
  } catch (error) {
    return { state: STATES[(error as NodeJS.ErrnoException).code ?? ''] ?? 'corrupt' }
  }
}

/** What a member's bytes decode to as far as they go; empty where they are none. For a look at a member's beginning, which need not be whole. */
export function peekMember(bytes: Buffer): NonSharedBuffer {
  const start = deflateStart(bytes, 0)
  if (typeof start === 'string') return Buffer.alloc(0)
  try {
    return inflateRawSync(bytes.subarray(start), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return Buffer.alloc(0)
  }
}

interface Inflated {
  buffer: NonSharedBuffer
  engine: { bytesWritten: number }
}

const STATES: Record<string, 'short' | 'large'> = { Z_BUF_ERROR: 'short', ERR_BUFFER_TOO_LARGE: 'large' }

/** Where the deflate stream begins, behind the header of RFC 1952 §2.3 with its optional fields. */
function deflateStart(bytes: Buffer, offset: number): number | 'short' | 'corrupt' {
  if (offset + 10 > bytes.length) return 'short'
  if (bytes.readUInt16BE(offset) !== 0x1f8b || bytes[offset + 2] !== 8) return 'corrupt'
  const flags = bytes[offset + 3]!
  if ((flags & 0xe0) !== 0) return 'corrupt'
  let at = offset + 10
  if ((flags & 4) !== 0) at = at + 2 > bytes.length ? Infinity : at + 2 + bytes.readUInt16LE(at)
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const zero = bytes.indexOf(0, at)
    at = zero === -1 ? Infinity : zero + 1
  }
  if ((flags & 2) !== 0) at += 2
  return at < bytes.length ? at : 'short'
}
