import { charsetOf } from './decode.ts'

/** What WHATWG mimesniff calls the resource header. */
export const HEADER_BYTES = 1445

/** The most of those that may be control characters no text has. Random bytes have 11 %. */
const MAX_BINARY_SHARE = 0.05

/** What the file formats met in the wild begin with. */
const MAGIC: readonly { name: string; at?: number; bytes: string }[] = [
  { name: 'a PDF', bytes: '%PDF-' },
  { name: 'a PNG image', bytes: '\x89PNG' },
  { name: 'a GIF image', bytes: 'GIF8' },
  { name: 'a JPEG image', bytes: '\xff\xd8\xff' },
  { name: 'a WebP image', at: 8, bytes: 'WEBP' },
  { name: 'a WAVE file', at: 8, bytes: 'WAVE' },
  { name: 'an MP4 or AVIF file', at: 4, bytes: 'ftyp' },
  { name: 'an MP3 file', bytes: 'ID3' },
  { name: 'a zip archive or office document', bytes: 'PK\x03\x04' },
  { name: 'a gzip archive', bytes: '\x1f\x8b' },
  { name: 'a zstd archive', bytes: '\x28\xb5\x2f\xfd' },
  { name: 'a RAR archive', bytes: 'Rar!' },
  { name: 'a 7z archive', bytes: '7z\xbc\xaf' },
  { name: 'an old office document', bytes: '\xd0\xcf\x11\xe0' },
  { name: 'an RTF document', bytes: '{\\rtf' },
  { name: 'a program', bytes: '\x7fELF' },
  { name: 'a WebAssembly module', bytes: '\0asm' },
]

/** Names what binary bytes are, such as `a PDF` or `a binary file`; null for text. `contentType` matters only for UTF-16 without a byte order mark. */
export function sniffBinary(bytes: Uint8Array, contentType: string | null = null): string | null {
  const magic = MAGIC.find(({ at = 0, bytes: mark }) => latin1(bytes.subarray(at, at + mark.length)) === mark)
  if (magic !== undefined) return magic.name
  return hasBinaryData(bytes.subarray(0, HEADER_BYTES)) && !isUtf16(bytes, contentType) ? 'a binary file' : null
}

/** Bytes as characters, one for one. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** mimesniff §2: bytes that no text has. */
function hasBinaryData(header: Uint8Array): boolean {
  const odd = header.filter((byte) => byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f))
  return odd.length > header.length * MAX_BINARY_SHARE
}

/** Every second byte of UTF-16 text can be zero. */
function isUtf16(bytes: Uint8Array, contentType: string | null): boolean {
  const mark = latin1(bytes.subarray(0, 2))
  return mark === '\xff\xfe' || mark === '\xfe\xff' || (charsetOf(contentType)?.startsWith('utf-16') ?? false)
}
