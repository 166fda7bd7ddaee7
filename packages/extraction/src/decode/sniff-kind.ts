import { refuse, type Refusal } from '../refusal.ts'
import { charsetOf } from './decode.ts'

/** What WHATWG mimesniff calls the resource header. */
const HEADER_BYTES = 1445

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

/** The tags by which mimesniff knows HTML, and those that fragments of articles begin with. */
const HTML_START =
  /^(?:<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*)*<(?:!doctype html|html|head|script|iframe|h[1-6]|div|font|table|a|style|title|b|body|br|p|meta|link|article|main|section|header)(?=[\s>/])/i

/**
 * Tells whether undone bytes are HTML or plain text, from the answer's Content-Type and from the bytes. Binary files, feeds, JSON and
 * scripts are refused as `unsupported-type`, with what they were taken for.
 */
export function sniffKind(bytes: Uint8Array, contentType: string | null): { kind: 'html' | 'text' } | { refused: Refusal } {
  const magic = MAGIC.find(({ at = 0, bytes: mark }) => latin1(bytes.subarray(at, at + mark.length)) === mark)
  if (magic !== undefined) return refuse('unsupported-type', `the bytes are ${magic.name}`)
  const header = bytes.subarray(0, HEADER_BYTES)
  if (isBinary(header) && !isUtf16(bytes, contentType)) return refuse('unsupported-type', 'the bytes are a binary file')

  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'text/html' || type === 'application/xhtml+xml') return { kind: 'html' }
  const start = latin1(header)
    .replaceAll('\0', '')
    .replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*/, '')
  if (type === '' || type === 'application/octet-stream' || type.startsWith('unknown/'))
    return { kind: HTML_START.test(start) ? 'html' : 'text' }
  // A saved page that a server calls plain is a page to whoever sent it in.
  if (type === 'text/plain' || type === 'text/markdown') return { kind: /^<(?:!doctype html|html)\b/i.test(start) ? 'html' : 'text' }
  if (/^(?:application|text)\/xml$/.test(type) && /<html[\s>]/i.test(start)) return { kind: 'html' }
  return refuse('unsupported-type', `the content type is ${type}; HTML and plain text are read`)
}

/** mimesniff §2: a byte that no text has. */
function isBinary(header: Uint8Array): boolean {
  const odd = header.filter((byte) => byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f))
  return odd.length > header.length * MAX_BINARY_SHARE
}

/** Every second byte of UTF-16 text can be zero. */
function isUtf16(bytes: Uint8Array, contentType: string | null): boolean {
  const mark = latin1(bytes.subarray(0, 2))
  return mark === '\xff\xfe' || mark === '\xfe\xff' || (charsetOf(contentType)?.startsWith('utf-16') ?? false)
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
