import type { RecordKind, Reference } from '@copydesk/contracts'
import type { DamageReason, OnDamage } from './damage.ts'
import { openNamed } from './descriptors.ts'
import { listSegments, statIfThere } from './list.ts'
import { CLOSING, segmentKind, segmentPath } from './names.ts'
import { readJson, type Reading } from './reading.ts'
import { type Gap, walkSegment, type WholeRecord } from './walk.ts'
import type { WarcRecord } from './warc-record.ts'

/** A record met on the way through a segment: where it lies (of a page: both its records), and what was read of it (of a page: of its metadata record). */
export interface ScannedRecord<T = unknown> {
  reference: Reference
  record: T
}

export interface ScanOptions<T> {
  /** What is read of a record: its JSON, where nothing else is said. */
  read?: (record: WarcRecord) => Reading<T>
  /** Told of everything that is gone past because it was destroyed or can't be understood. */
  onDamage?: OnDamage | undefined
  /** Told how many bytes were read, again and again. */
  onRead?: (bytes: number) => void
}

/** Every whole record of a kind, segment by segment, of all segments that were written at or after `sinceMs` (ms since 1970). */
export async function* scanSegments<T = unknown>(
  folder: string,
  kind: RecordKind,
  { sinceMs = 0, ...options }: ScanOptions<T> & { sinceMs?: number } = {},
): AsyncGenerator<ScannedRecord<T>> {
  for (const segment of await listSegments(folder, kind, sinceMs)) yield* scanSegment<T>(folder, segment, 0, options)
}

/**
 * The whole records of one segment from an offset on, at which a member begins, up to its torn or growing tail. Garbage is gone past and told of,
 * and so is a record that can't be read; a segment that is gone has none.
 */
export async function* scanSegment<T = unknown>(
  folder: string,
  segment: string,
  offset: number,
  options: ScanOptions<T> = {},
): AsyncGenerator<ScannedRecord<T>> {
  const { read = readJson as (record: WarcRecord) => Reading<T>, onDamage, onRead } = options
  const report = (at: number, end: number, reason: DamageReason) => onDamage?.({ segment, at, bytes: end - at, reason })
  const pair = createPairing(segmentKind(segment))
  for await (const piece of piecesOf(folder, segment, offset)) {
    onRead?.(piece.end - piece.at)
    const { damage, found } = pair(piece)
    if (damage !== null) report(damage.at, damage.end, damage.reason)
    if (found === null) continue
    const { at, end, record } = found
    const reading = read(record)
    if ('reason' in reading) report(at, end, reading.reason)
    else yield { reference: { store: 'file', segment, offset: at, length: end - at }, record: reading.value }
  }
  const { damage } = pair(null)
  if (damage !== null) report(damage.at, damage.end, damage.reason)
}

interface Paired {
  /** What turned out to be destroyed. */
  damage: { at: number; end: number; reason: DamageReason } | null
  /** The record that tells what is kept here; of a page, from the page's first byte on. */
  found: WholeRecord | null
}

/**
 * Puts a page and its metadata record together as they come, one behind the other. Metadata whose page was destroyed is lost with it: whatever page
 * comes before is another one. Null ends it.
 */
function createPairing(kind: RecordKind | null): (piece: WholeRecord | Gap | null) => Paired {
  let page: WholeRecord | null = null
  let gap: Gap | null = null

  return (piece) => {
    const before = { page, gap }
    page = null
    gap = null
    const damage: Paired['damage'] = before.gap === null ? null : { at: before.gap.at, end: before.gap.end, reason: 'garbage' }
    if (piece === null || !('record' in piece)) {
      gap = piece
      return { damage, found: null }
    }
    const type = piece.record.fields.get('warc-type')
    if (kind === 'raw' && (type === 'response' || type === 'resource')) page = piece
    if (type !== (kind === 'clean' || kind === 'article' ? 'conversion' : 'metadata')) return { damage, found: null }
    if (kind !== 'raw') return { damage, found: piece }
    if (before.page !== null && refersTo(piece, before.page)) return { damage, found: { ...piece, at: before.page.at } }
    return { damage: { at: damage?.at ?? piece.at, end: piece.end, reason: 'page-lost' }, found: null }
  }
}

function refersTo(metadata: WholeRecord, page: WholeRecord): boolean {
  const id = metadata.record.fields.get('warc-refers-to')
  return id === undefined || id === page.record.fields.get('warc-record-id')
}

/** A segment's records and gaps; a tail only where it is damage. */
async function* piecesOf(folder: string, segment: string, offset: number): AsyncGenerator<WholeRecord | Gap> {
  const named = await openNamed(folder, segment)
  if (named === null) return
  const { handle, isOpen } = named
  try {
    for await (const piece of walkSegment(handle, offset)) {
      if ('record' in piece || !piece.tail) yield piece
      else if (!isOpen && (await statIfThere(segmentPath(folder, segment) + CLOSING)) === null) {
        // The sweep is cutting, or has cut, what it was found under in the middle of its work.
        if ((await handle.stat()).size >= piece.end) yield piece
      }
    }
  } finally {
    await handle.close()
  }
}
