import type { FetchedPage } from '@copydesk/contracts'

type Head = NonNullable<FetchedPage['head']>

/** What `transfer-encoding` is called in the archive: the body is kept without its chunks, and a reader that saw the name would look for them. */
const RENAMED = 'x-archive-orig-transfer-encoding'

/** An HTTP answer as the block of a `response` record: status line, the headers as they came, the wire bytes. */
export function formatHttp(head: Head, body: Uint8Array): NonSharedBuffer {
  const lines = [`HTTP/1.1 ${head.status} ${head.statusText}`]
  for (const [name, value] of head.headers) {
    lines.push(`${name.toLowerCase() === 'transfer-encoding' ? RENAMED : name}: ${value}`)
  }
  const text = lines.map((line) => `${line.replaceAll(/[\0\r\n]+/g, ' ')}\r\n`).join('')
  return Buffer.concat([Buffer.from(`${text}\r\n`, encodingOf(text)), body])
}

/** The head and the bytes of a `response` record's block; null where it is none. */
export function parseHttp(block: NonSharedBuffer): { head: Head; body: NonSharedBuffer } | null {
  const split = block.indexOf('\r\n\r\n')
  if (split === -1) return null
  const [first = '', ...lines] = block.toString('latin1', 0, split).split('\r\n')
  const status = /^HTTP\/\d(?:\.\d)? (\d{3})(?: (.*))?$/.exec(first)
  if (status === null) return null
  const headers: [string, string][] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon).trim()
    headers.push([name.toLowerCase() === RENAMED ? 'transfer-encoding' : name, line.slice(colon + 1).trim()])
  }
  return { head: { status: Number(status[1]), statusText: status[2] ?? '', headers }, body: block.subarray(split + 4) }
}

/** Header values are Latin-1 on the wire (RFC 9110 §5.5); what a client decoded as something wider goes back as UTF-8. */
function encodingOf(text: string): 'latin1' | 'utf8' {
  return /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf8'
}
