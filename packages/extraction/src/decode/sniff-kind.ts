import { refuse, type Refusal } from '../refusal.ts'
import { HEADER_BYTES, latin1, sniffBinary } from './sniff-binary.ts'

/** The tags by which mimesniff knows HTML, and those that fragments of articles begin with. */
const HTML_START =
  /^(?:<\?xml[^>]*>\s*|<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype html|html|head|script|iframe|h[1-6]|div|font|table|a|style|title|b|body|br|p|meta|link|article|main|section|header)(?=[\s>/])/i

/**
 * Tells whether undone bytes are HTML or plain text, from the answer's Content-Type and from the bytes. Binary files, feeds, JSON and
 * scripts are refused as `unsupported-type`, with what they were taken for.
 */
export function sniffKind(bytes: Uint8Array, contentType: string | null): { kind: 'html' | 'text' } | { refused: Refusal } {
  const binary = sniffBinary(bytes, contentType)
  if (binary !== null) return refuse('unsupported-type', `the bytes are ${binary}, not HTML or text`)

  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'text/html' || type === 'application/xhtml+xml') return { kind: 'html' }
  const start = latin1(bytes.subarray(0, HEADER_BYTES))
    .replaceAll('\0', '')
    .replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*/, '')
  if (type === '' || type === 'application/octet-stream' || type.startsWith('unknown/'))
    return { kind: HTML_START.test(start) ? 'html' : 'text' }
  // A saved page that a server calls plain is a page to whoever sent it in.
  if (type === 'text/plain' || type === 'text/markdown') return { kind: /^<(?:!doctype html|html)\b/i.test(start) ? 'html' : 'text' }
  if (/^(?:application|text)\/xml$/.test(type) && /<html[\s>]/i.test(start)) return { kind: 'html' }
  return refuse('unsupported-type', `the content type is ${type}; HTML and plain text are read`)
}
