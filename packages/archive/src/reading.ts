import { RecordStamp } from '@copydesk/contracts'
import type { z } from 'zod'
import { json } from './archived.ts'
import type { DamageReason } from './damage.ts'
import type { WarcRecord } from './warc-record.ts'

/** What a record says, or why that can't be told. */
export type Reading<T> = { value: T } | { reason: DamageReason }

/** The versions of records that are known here. */
const VERSION = 1
/** A stamp as it is written, at the beginning of its record. */
const STAMP = /^(\{"v":1,"captureId":"[0-9a-f-]{36}","rev":\d+,"run":\d+),"content":/
const STAMP_BYTES = 200

/** A record's JSON, of a known version; its form isn't checked. */
export function readJson(record: WarcRecord): Reading<{ v: number; [field: string]: unknown }> {
  let value: unknown
  try {
    value = json(record)
  } catch {
    return { reason: 'no-json' }
  }
  if (typeof value !== 'object' || value === null || !('v' in value)) return { reason: 'schema' }
  return value.v === VERSION ? { value: value as { v: number } } : { reason: 'unknown-version' }
}

/** Reads records by their schema. */
export function readAs<T>(schema: z.ZodType<T>): (record: WarcRecord) => Reading<T> {
  return (record) => {
    const read = readJson(record)
    if ('reason' in read) return read
    const { success, data } = schema.safeParse(read.value)
    return success ? { value: data } : { reason: 'schema' }
  }
}

/** The stamp alone, without the content behind it, which may be a whole article. */
export function readStamp(record: WarcRecord): Reading<RecordStamp> {
  const stamp = STAMP.exec(record.block.toString('latin1', 0, STAMP_BYTES))
  return stamp === null ? readWholeStamp(record) : readWholeStamp({ fields: record.fields, block: Buffer.from(`${stamp[1]}}`) })
}

const readWholeStamp = readAs(RecordStamp)
