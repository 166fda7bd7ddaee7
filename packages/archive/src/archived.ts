import { Capture, type FetchedPage, RecordStamp } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import { z } from 'zod'
import { parseHttp } from './http-block.ts'
import { readMember } from './member.ts'
import { parseRecord, type WarcRecord } from './warc-record.ts'

/** What a decoded record may come to, in bytes: a page's limits (10 MiB on the wire) and its metadata fit many times over. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** A record that carries the stamp of its capture. */
export interface ArchivedRecord {
  stamp: RecordStamp
  content: unknown
}

const Stamped = RecordStamp.extend({ content: z.unknown() })
const PageMetadata = RecordStamp.extend({ content: Capture })

/** The records in a reference's bytes, one after another; throws a plain Error that says what is wrong with them. */
export function parseMembers(bytes: Buffer): WarcRecord[] {
  const records: WarcRecord[] = []
  let left = MAX_RECORD_BYTES
  for (let at = 0; at < bytes.length;) {
    const read = readMember(bytes, at, left)
    if (read.state !== 'whole') throw new Error(PROBLEMS[read.state])
    const record = parseRecord(read.data)
    if (record === null) throw new Error('it is no WARC record')
    records.push(record)
    left -= read.data.length
    at = read.end
  }
  return records
}

const PROBLEMS = {
  short: 'it ends too early',
  corrupt: 'its bytes are not those that were written',
  large: `it is larger than ${MAX_RECORD_BYTES} bytes`,
}

/** A page out of its two records. */
export function toPage(records: readonly WarcRecord[]): FetchedPage {
  const [bytes, about] = records
  if (bytes === undefined || about === undefined || records.length !== 2) throw new Error('it is no page with its metadata')
  const { content: capture } = PageMetadata.parse(ofKnownVersion(json(about)))
  if (bytes.fields.get('warc-type') === 'resource') return { capture, head: null, body: bytes.block }
  const http = parseHttp(bytes.block)
  if (http === null) throw new Error('its HTTP head is not readable')
  return { capture, ...http }
}

/** The stamp and content of a record; of a page's two records, of its metadata. */
export function toArchivedRecord(records: readonly WarcRecord[]): ArchivedRecord {
  const last = records.at(-1)
  if (last === undefined) throw new Error('it is empty')
  const { content, ...stamp } = Stamped.parse(ofKnownVersion(json(last)))
  return { stamp, content }
}

function ofKnownVersion(value: unknown): unknown {
  const v = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined
  if (v === undefined || v === 1) return value
  throw new PermanentError(
    'schema',
    `the record is of version ${JSON.stringify(v)}, and this Copydesk reads version 1: update all services`,
  )
}

/** The JSON in a record's block. */
export function json(record: WarcRecord): unknown {
  return JSON.parse(record.block.toString('utf8'))
}
