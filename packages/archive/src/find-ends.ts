import { type CaptureId, EndRecord } from '@copydesk/contracts'
import { scanSegments } from './scan.ts'

/** The end, retry or dismissal that counts for each of the captures: the highest `rev`, then `run`, in whatever segment written at or after `sinceMs`. Captures without one are not in the answer. */
export async function findEnds(folder: string, captureIds: Iterable<CaptureId>, sinceMs: number): Promise<Map<CaptureId, EndRecord>> {
  const wanted = new Set<unknown>(captureIds)
  const found = new Map<CaptureId, EndRecord>()
  if (wanted.size === 0) return found
  for await (const { record } of scanSegments(folder, 'ends', { sinceMs })) {
    if (!wanted.has((record as { captureId?: unknown }).captureId)) continue
    const end = EndRecord.parse(record)
    const other = found.get(end.captureId)
    if (other === undefined || counts(end, other)) found.set(end.captureId, end)
  }
  return found
}

function counts(end: EndRecord, other: EndRecord): boolean {
  if (end.rev !== other.rev) return end.rev > other.rev
  if (end.run !== other.run) return end.run > other.run
  return end.at >= other.at
}
