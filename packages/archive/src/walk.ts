import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { MAX_RECORD_BYTES } from './archived.ts'
import { MAGIC, peekMember, readMember } from './member.ts'
import { parseRecord, type WarcRecord } from './warc-record.ts'
import { openWindow, type Window } from './window.ts'

/** A whole record: `at` is its first byte, `end` where the next begins. */
export interface WholeRecord {
  at: number
  end: number
  record: WarcRecord
}

/** Bytes in which no record is whole. `tail`: nor is any behind them; they are being appended, were torn, or were destroyed up to the end. */
export interface Gap {
  at: number
  end: number
  tail: boolean
}

/** A member decodes to at most MAX_RECORD_BYTES, so it can't be longer than this. */
const LONGEST = MAX_RECORD_BYTES + 1024 * 1024
/** How much of a member shows what it is: 7 bytes of text, behind the tables of its code. */
const PEEK = 512
const BEGINNING = 'WARC/1.'
/** What is given first to the reading of a member that may be none. */
const TRY = 64 * 1024
/**
 * How many bytes a search may try to decode: this many, and so many times the distance it has come; what is over that is jumped. Nothing real comes
 * near it, but a page can be made of thousands of beginnings of records, each as long as the page.
 */
const FREE_TRIES = 64 * 1024 * 1024
const TRIES = 8
/** What a look at a beginning costs, in bytes decoded (0.03 ms). */
const PEEK_COST = 2048

/**
 * Everything in a segment from an offset on, at which a member begins: whole records, and between them the gaps, each followed by the next whole
 * record. The work is linear in the segment's size, whatever it holds. `from` to the last `end` is the segment as it was at one moment.
 */
export async function* walkSegment(handle: FileHandle, from: number): AsyncGenerator<WholeRecord | Gap> {
  const window = await openWindow(handle)
  for (let at = from; at < window.size();) {
    const { read } = await readRecord(window, at)
    if (read.state === 'whole') {
      yield { at, end: read.end, record: read.record }
      at = read.end
    } else {
      const next = await findNext(window, at, read)
      const end = next ?? window.size()
      if (end > at) yield { at, end, tail: next === null }
      at = end
    }
  }
}

/** The record that a segment begins with; null where it isn't whole. */
export async function firstRecord(handle: FileHandle): Promise<WarcRecord | null> {
  const window = await openWindow(handle)
  const { read } = await readRecord(window, 0)
  return read.state === 'whole' ? read.record : null
}

/** `other`: a whole member that is no WARC record. `end` of what isn't whole: where it would end if only its content was changed. */
type RecordRead = { state: 'whole'; record: WarcRecord; end: number } | { state: 'other' | 'corrupt'; end?: number | undefined }

/** Reads the record at a position, in ever larger pieces; `tried` is how many bytes were decoded or tried to. */
async function readRecord(window: Window, at: number, first?: number): Promise<{ read: RecordRead; tried: number }> {
  let tried = 0
  for (let length = first ?? 1; ;) {
    const seen = await window.read(at, length)
    // In a search nothing is given that wasn't asked for; on the way through, all that is there.
    const bytes = first === undefined ? seen : seen.subarray(0, length)
    const read = readMember(bytes, 0, MAX_RECORD_BYTES)
    tried += bytes.length
    if (read.state === 'short' && at + bytes.length < window.size() && bytes.length < LONGEST && (await beginsRecord(window, at))) {
      length = Math.min(bytes.length * 4, LONGEST)
      continue
    }
    if (read.state !== 'whole') return { read: { state: 'corrupt', end: read.end === undefined ? undefined : at + read.end }, tried }
    const record = parseRecord(read.data)
    return { read: record === null ? { state: 'other', end: at + read.end } : { state: 'whole', record, end: at + read.end }, tried }
  }
}

async function beginsRecord(window: Window, at: number): Promise<boolean> {
  const head = (await window.read(at, PEEK)).subarray(0, PEEK)
  return peekMember(head).toString('latin1', 0, BEGINNING.length) === BEGINNING
}

/** Where the next whole record begins behind what isn't one; null where the segment has none for sure, its end where that can't be told. */
async function findNext(window: Window, at: number, bad: RecordRead): Promise<number | null> {
  const known = await endOf(window, bad)
  if (known !== undefined) return known
  const from = bad.state === 'other' && bad.end !== undefined ? bad.end : at + 1
  let spent = 0
  let looks = 0
  let jumped = false
  for (let position = from; ;) {
    const candidate = await window.find(MAGIC, position)
    // What was jumped may hold a record: such an end must not be cut.
    if (candidate === null) return jumped ? window.size() : null
    looks += 1
    spent += PEEK_COST
    if (await beginsRecord(window, candidate)) {
      const { read, tried } = await readRecord(window, candidate, TRY)
      if (read.state === 'whole') return candidate
      const behind = await endOf(window, read)
      if (behind !== undefined && behind !== null) return behind
      spent += tried
    }
    const reached = from + Math.floor((spent - FREE_TRIES) / TRIES)
    jumped ||= reached > candidate + 1
    position = Math.max(candidate + 1, reached)
    // Others in this process wait meanwhile.
    if (looks % 256 === 0) await setImmediate()
  }
}

/**
 * Of a member with the wrong checksum, its end, if a whole record begins there; null if the segment ends there; undefined otherwise. Such a member
 * isn't searched through: a page's bytes, which may hold gzip members of their own, must not pass for records.
 */
async function endOf(window: Window, { state, end }: RecordRead): Promise<number | null | undefined> {
  if (state !== 'corrupt' || end === undefined) return undefined
  if (end >= window.size()) return null
  return (await readRecord(window, end)).read.state === 'whole' ? end : undefined
}
