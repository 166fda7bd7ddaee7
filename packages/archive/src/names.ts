import { join } from 'node:path'
import type { RecordKind } from '@copydesk/contracts'
import { v7 } from 'uuid'

const NAME = /^(intake|raw|clean|article|ends)-[0-9a-f-]{36}\.warc\.gz$/
const DRAFT = /^(epoch|trial)\.[0-9a-f-]{36}$/

/** What a segment's file bears behind its name until it is closed. */
export const OPEN = '.open'

/** What a file beside a segment bears while the sweep closes it: the segment may still have its torn tail. */
export const CLOSING = '.closing'

/** What the epoch's file is called; behind it a dot and an id, while it is written. */
export const EPOCH = 'epoch'

/** What the file of a trial is called, before a dot and its id. */
export const TRIAL = 'trial'

/** Whether a name is that of a file which is made and gone at once, unless its process is killed in between. */
export function isDraft(name: string): boolean {
  return DRAFT.test(name)
}

/** A new segment's name: the kind, and a UUIDv7, so that no process ever appends to another's file. */
export function newSegmentName(kind: RecordKind): string {
  return `${kind}-${v7()}.warc.gz`
}

/** The kind in a segment's name, or null where the name is no segment's. */
export function segmentKind(name: string): RecordKind | null {
  const match = NAME.exec(name)
  return match === null ? null : (match[1] as RecordKind)
}

/** The path of a closed segment. The name comes from a reference, that is, from outside: nothing but a segment's name gets a path. */
export function segmentPath(folder: string, segment: string): string {
  if (!NAME.test(segment)) throw new TypeError(`${JSON.stringify(segment.slice(0, 80))} is not a segment's name`)
  return join(folder, segment)
}
