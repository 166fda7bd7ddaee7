import * as zlib from 'node:zlib'
import { refuse, type Refusal } from '../refusal.ts'

const MEBIBYTE = 1024 * 1024

export interface EncodingLimits {
  /** Most bytes that the undone body may have. */
  maxBytes: number
  /** Most times that it may grow, once it is past 1 MiB: real pages stay under 30, bombs start at 1,000. */
  maxRatio: number
  /** Most encodings that may lie on top of each other. */
  maxEncodings: number
}

/** What a page may be. docs/OPERATIONS.md lists these limits beside the others. */
const PAGE_LIMITS: EncodingLimits = { maxBytes: 20 * MEBIBYTE, maxRatio: 200, maxEncodings: 2 }

export type Undone = { bytes: Uint8Array; cut: boolean } | { refused: Refusal }

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number; lenient: boolean }) => Uint8Array

/**
 * Undoes the content-encodings of a body, once: gzip, br, zstd and deflate (with or without its zlib header).
 * `encodings` are in the order in which they were applied. A body that ends early gives the part that can be read, with `cut: true`;
 * one that was never encoded as its label says is taken as it is.
 */
export function undoEncodings(body: Uint8Array, encodings: readonly string[], limits: EncodingLimits = PAGE_LIMITS): Undone {
  const labels = encodings.map((label) => label.trim().toLowerCase()).filter((label) => label !== '' && label !== 'identity')
  if (labels.length > limits.maxEncodings) {
    return refuse(
      'unsupported-type',
      `${labels.length} content-encodings on top of each other (${labels.join(', ')}); at most ${limits.maxEncodings} are undone`,
    )
  }
  const maxOutputLength = Math.min(limits.maxBytes, Math.max(MEBIBYTE, body.length * limits.maxRatio))
  let undone = { bytes: body, cut: false }
  for (const label of labels.toReversed()) {
    const unpack = UNPACKERS[label]
    const step = unpack === undefined ? unknownEncoding(undone.bytes, label) : undoOne(undone.bytes, label, unpack, maxOutputLength)
    if ('refused' in step) return step
    undone = { bytes: step.bytes, cut: undone.cut || step.cut }
  }
  if (undone.bytes.length > limits.maxBytes) return tooLarge(body.length, limits.maxBytes)
  return undone
}

function undoOne(bytes: Uint8Array, label: string, unpack: Unpack, maxOutputLength: number): Undone {
  try {
    return { bytes: unpack(bytes, { maxOutputLength, lenient: false }), cut: false }
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return tooLarge(bytes.length, maxOutputLength)
    // Brotli has no magic number, and reads some texts as the beginning of a stream.
    if (codeOf(error) !== 'Z_BUF_ERROR' || looksPlain(bytes)) return mislabelled(bytes, label, maxOutputLength)
  }
  try {
    return { bytes: unpack(bytes, { maxOutputLength, lenient: true }), cut: true }
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return tooLarge(bytes.length, maxOutputLength)
    return refuse('truncated', `the ${label} body ends early and nothing of it can be read`)
  }
}

/** Servers label plain bodies gzip, and gzip bodies br: the bytes know better. */
function mislabelled(bytes: Uint8Array, label: string, maxOutputLength: number): Undone {
  const magic = magicEncoding(bytes)
  const unpack = magic === null || magic === label ? undefined : UNPACKERS[magic]
  if (magic !== null && unpack !== undefined) return undoOne(bytes, magic, unpack, maxOutputLength)
  if (magic === null && looksPlain(bytes)) return { bytes, cut: false }
  return refuse('unsupported-type', `the body is labelled ${label} and can't be undone as such`)
}

function unknownEncoding(bytes: Uint8Array, label: string): Undone {
  if (looksPlain(bytes)) return { bytes, cut: false }
  return refuse('unsupported-type', `the content-encoding ${label} is not known; gzip, br, zstd and deflate are`)
}

function tooLarge(from: number, limit: number): { refused: Refusal } {
  return refuse('too-large', `${from} bytes on the wire grow past ${limit} bytes when undone`)
}

const UNPACKERS: Record<string, Unpack> = {
  gzip: unpackGzip,
  'x-gzip': unpackGzip,
  deflate: unpackDeflate,
  br: (bytes, { maxOutputLength, lenient }) =>
    zlib.brotliDecompressSync(bytes, { maxOutputLength, ...(lenient && { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH }) }),
  zstd: (bytes, { maxOutputLength, lenient }) =>
    zlib.zstdDecompressSync(bytes, {
      maxOutputLength,
      // 8 MiB of window: RFC 9659 lets no content-encoding ask for more.
      params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 },
      ...(lenient && { finishFlush: zlib.constants.ZSTD_e_flush }),
    }),
}

function unpackGzip(bytes: Uint8Array, { maxOutputLength, lenient }: { maxOutputLength: number; lenient: boolean }): Uint8Array {
  const options = { maxOutputLength, ...(lenient && { finishFlush: zlib.constants.Z_SYNC_FLUSH }) }
  try {
    return zlib.gunzipSync(bytes, options)
  } catch (error) {
    // Node reads bytes after the last member as one more member and throws; browsers ignore them.
    if (codeOf(error) !== 'Z_DATA_ERROR' || magicEncoding(bytes) !== 'gzip') throw error
    return zlib.inflateRawSync(bytes.subarray(gzipHeaderLength(bytes)), options)
  }
}

function unpackDeflate(bytes: Uint8Array, { maxOutputLength, lenient }: { maxOutputLength: number; lenient: boolean }): Uint8Array {
  const options = { maxOutputLength, ...(lenient && { finishFlush: zlib.constants.Z_SYNC_FLUSH }) }
  try {
    return zlib.inflateSync(bytes, options)
  } catch (error) {
    // RFC 9110 means zlib's format; old servers send the bare one.
    if (codeOf(error) !== 'Z_DATA_ERROR') throw error
    return zlib.inflateRawSync(bytes, options)
  }
}

/** RFC 1952 §2.3. */
function gzipHeaderLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1
  return flags & 2 ? at + 2 : at
}

function magicEncoding(bytes: Uint8Array): string | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd'
  return null
}

/** Text has no control characters but tab, line breaks, form feed and escape. */
function looksPlain(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 512)
    .every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d || byte === 0x1b)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
