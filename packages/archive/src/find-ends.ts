import { type CaptureId, EndRecord, supersedes } from '@copydesk/contracts'
import type { OnDamage } from './damage.ts'
import { readAs, readJson, type Reading } from './reading.ts'
import { scanSegments } from './scan.ts'
import type { WarcRecord } from './warc-record.ts'

/** The end, retry or dismissal that counts for each of the captures: the highest `rev`, then `run`, in whatever segment written at or after `sinceMs`. Captures without one are not in the answer. */
export async function findEnds(
  folder: string,
  captureIds: Iterable<CaptureId>,
  sinceMs: number,
  { onDamage }: { onDamage?: OnDamage | undefined } = {},
): Promise<Map<CaptureId, EndRecord>> {
  const wanted = new Set<unknown>(captureIds)
  const found = new Map<CaptureId, EndRecord>()
  if (wanted.size === 0) return found
  const read = (record: WarcRecord): Reading<EndRecord | null> => {
    const json = readJson(record)
    if ('reason' in json) return json
    return wanted.has(json.value['captureId']) ? readEnd(record) : { value: null }
  }
  for await (const { record: end } of scanSegments(folder, 'ends', { sinceMs, read, onDamage })) {
    if (end === null) continue
    const other = found.get(end.captureId)
    if (other === undefined || counts(end, other)) found.set(end.captureId, end)
  }
  return found
}

const readEnd = readAs(EndRecord)

function counts(end: EndRecord, other: EndRecord): boolean {
  return supersedes(end, other) || (!supersedes(other, end) && end.at >= other.at)
}
