import { createHash } from 'node:crypto'
import type { Capture, CleanedPage } from '@copydesk/contracts'
import { cleanHtml } from './clean/clean-html.ts'
import { decode } from './decode/decode.ts'
import { sniffKind } from './decode/sniff-kind.ts'
import { undoEncodings } from './decode/undo-encodings.ts'
import { refuse, type Refusal } from './refusal.ts'
import { cleanText } from './text/clean-text.ts'

/** What cleaning a page gives: the cleaned page, or why it is refused. */
export type CleanReply = { page: CleanedPage } | { refused: Refusal }

/**
 * Turns a capture's bytes, as they came, into a cleaned page: undoes content-encodings, decodes, keeps the article's blocks, reads the
 * signals. Whatever the bytes are, the answer is a reply; it throws only for faults of our own.
 */
export function cleanPage({ capture, body }: { capture: Capture; body: Uint8Array }): CleanReply {
  if (body.length === 0) return refuse('empty', 'there are no bytes')
  const undone = undoEncodings(body, capture.contentEncoding)
  if ('refused' in undone) return undone
  const sniffed = sniffKind(undone.bytes, capture.contentType)
  if ('refused' in sniffed) return sniffed

  const { text, encoding } = decode(undone.bytes, { kind: sniffed.kind, contentType: capture.contentType })
  // Fetch has judged a body that it flags; one that ended early inside its encoding is judged here.
  if (undone.cut && !capture.cut && !/<\/html\s*>/i.test(text)) {
    return refuse(
      'truncated',
      `the encoded body ends early, after ${undone.bytes.length} bytes that could be read, and the page is not whole`,
    )
  }
  const cleaned = sniffed.kind === 'html' ? cleanHtml(text, capture.url) : cleanText(text)
  if ('refused' in cleaned) return cleaned
  const bytesHash = createHash('sha256').update(body).digest('hex')
  return { page: { capture, kind: sniffed.kind, encoding, bytesHash, cut: capture.cut || undone.cut, ...cleaned } }
}
