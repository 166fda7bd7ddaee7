import type { EndRecord, FetchedPage, IntakeRecord, RecordStamp } from '@copydesk/contracts'
import { formatHttp } from './http-block.ts'
import { writeMember } from './member.ts'
import { formatRecord, newRecordId, sha1Digest, type WarcRecord } from './warc-record.ts'

const JSON_TYPE = 'application/json'

/** The first member of every segment: who wrote it, which process, and in which form. */
export function infoMember(segment: string, processId: string | null): Promise<Buffer> {
  const process = processId === null ? '' : `process: ${processId}\r\n`
  const block = Buffer.from(`software: copydesk\r\nformat: WARC File Format 1.1\r\n${process}`)
  const fields = { 'WARC-Date': now(), 'WARC-Filename': segment, 'Content-Type': 'application/warc-fields' }
  return writeMember(formatRecord('warcinfo', fields, block), 1)
}

/** The process that a `warcinfo` record names, or null where it names none. */
export function processOf(info: WarcRecord): string | null {
  return /^process: (\S+)\r?$/m.exec(info.block.toString('utf8'))?.[1] ?? null
}

/** A page's two members: the `response` (or, of bytes in hand, the `resource`), and the `metadata` record about it. */
export async function captureMembers(stamp: RecordStamp, page: FetchedPage): Promise<Buffer[]> {
  const { capture, head, body } = page
  const id = newRecordId()
  const target = capture.url ?? capture.requestedUrl ?? urn(stamp)
  const fields = {
    'WARC-Record-ID': id,
    'WARC-Date': capture.fetchedAt,
    'WARC-Target-URI': target,
    'Content-Type': head === null ? (capture.contentType ?? 'application/octet-stream') : 'application/http;msgtype=response',
    'WARC-Payload-Digest': sha1Digest(body),
    ...(capture.cut && { 'WARC-Truncated': 'unspecified' }),
  }
  const first = head === null ? formatRecord('resource', fields, body) : formatRecord('response', fields, formatHttp(head, body))
  const about = { 'WARC-Date': capture.fetchedAt, 'WARC-Target-URI': target, 'WARC-Refers-To': id, 'Content-Type': JSON_TYPE }
  const second = formatRecord('metadata', about, json({ ...stamp, content: capture }))
  return Promise.all([writeMember(first, capture.contentEncoding.length > 0 ? 0 : 1), writeMember(second, 1)])
}

/** A cleaned page or an article: what the pipeline made of a capture. */
export async function conversionMembers(stamp: RecordStamp, content: unknown): Promise<Buffer[]> {
  const fields = { 'WARC-Date': now(), 'WARC-Target-URI': urn(stamp), 'Content-Type': JSON_TYPE }
  return [await writeMember(formatRecord('conversion', fields, json({ ...stamp, content })), 1)]
}

/** An intake or an end: what was accepted, and what was decided. */
export async function ledgerMembers(record: IntakeRecord | EndRecord): Promise<Buffer[]> {
  const fields = { 'WARC-Date': record.at, 'Content-Type': JSON_TYPE, ...('captureId' in record && { 'WARC-Target-URI': urn(record) }) }
  return [await writeMember(formatRecord('metadata', fields, json(record)), 1)]
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function now(): string {
  return new Date().toISOString()
}

function urn(stamp: { captureId: string }): string {
  return `urn:uuid:${stamp.captureId}`
}
