import { type ArticleRecord, CaptureId, type EndRecord, type Outcome, type RecordStamp, type Reference } from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import { expect, test } from 'vitest'
import { auditArchive, type AuditDeps, type AuditOptions } from './audit.ts'

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const HOUR_MS = 3_600_000
const NOW = Date.UTC(2026, 10, 24)

/** The capture taken in so many hours ago. */
function captureOf(hoursAgo: number): CaptureId {
  const time = (NOW - hoursAgo * HOUR_MS).toString(16).padStart(12, '0')
  return CaptureId.parse(`${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`)
}

function articleOf(captureId: CaptureId): ArticleRecord {
  return {
    article: { captureId, articleId: `article-of-${captureId}`.slice(0, 22) },
    fetchedAt: new Date(NOW).toISOString(),
  } as ArticleRecord
}

interface Given {
  /** Of each capture: how long ago, its end, whether it is under way. */
  captures: { hoursAgo: number; end?: Outcome; kind?: EndRecord['kind']; endedSince?: Outcome; busy?: boolean; lost?: boolean }[]
}

/** Audits an archive of such captures; answers what was compared, in its order. */
async function audited({ captures }: Given, options: Partial<AuditOptions> = {}) {
  const all = captures.map((capture) => ({ ...capture, id: captureOf(capture.hoursAgo) }))
  const compared: { captureId: CaptureId; repair: boolean }[] = []
  const end = (id: CaptureId, outcome: Outcome, kind: EndRecord['kind'] = 'end'): EndRecord => ({
    v: 1,
    captureId: id,
    rev: 0,
    run: kind === 'retry' ? 2 : 1,
    kind,
    stage: 'index',
    at: new Date(NOW).toISOString(),
    outcome,
  })
  const deps: AuditDeps = {
    archive: {
      async *ends() {
        for (const { id, end: outcome, kind } of all) {
          if (kind === 'retry') yield end(id, 'failed')
          if (outcome) yield end(id, outcome, kind)
        }
      },
      async *articles() {
        for (const { id } of all) {
          const stamp: RecordStamp = { v: 1, captureId: id, rev: 0, run: 1 }
          yield { stamp, reference: { segment: id } as unknown as Reference }
          // A later run's record counts.
          yield { stamp: { ...stamp, run: 2 }, reference: { segment: id, last: true } as unknown as Reference }
        }
      },
      endsSince: async (ids) =>
        new Map(all.filter(({ id, endedSince }) => ids.includes(id) && endedSince).map(({ id, endedSince }) => [id, end(id, endedSince!)])),
      load: async (reference) => {
        const { segment, last } = reference as unknown as { segment: CaptureId; last?: boolean }
        if (!last) throw new Error('the record of an earlier run was read')
        if (all.find(({ id }) => id === segment)?.lost) throw new PermanentError('record-lost', 'its segment is gone')
        return articleOf(segment)
      },
    },
    busy: async (ids) => new Set(all.filter(({ id, busy }) => ids.includes(id) && busy).map(({ id }) => id)),
    compare: async (batch, { repair }) => {
      compared.push(...batch.map(({ captureId }) => ({ captureId, repair })))
      return { missing: batch.map(({ article }) => article.articleId), old: [], rejected: [], repaired: repair ? batch.length : 0 }
    },
    log,
    now: () => NOW,
  }
  const result = await auditArchive(deps, { repair: false, ...options })
  return { result, compared, ids: compared.map(({ captureId }) => captureId) }
}

test('what was written, or has no end, is compared, in the order of captures; what ended otherwise is left alone', async () => {
  const { ids } = await audited({
    captures: [
      { hoursAgo: 1, end: 'unchanged' },
      { hoursAgo: 5, end: 'indexed' },
      { hoursAgo: 3 },
      { hoursAgo: 2, end: 'regressed' },
      { hoursAgo: 4, end: 'stale' },
      { hoursAgo: 6, end: 'refused' },
      { hoursAgo: 7, end: 'dismissed', kind: 'dismissal' },
      { hoursAgo: 8, end: 'failed' },
    ],
  })
  expect(ids).toEqual([captureOf(5), captureOf(3), captureOf(1)])
})

test('what is under way, dead, or ended otherwise since the ends were read, is left alone', async () => {
  const { ids } = await audited({
    captures: [
      { hoursAgo: 4, busy: true },
      { hoursAgo: 3, endedSince: 'regressed' },
      { hoursAgo: 2, endedSince: 'indexed' },
      { hoursAgo: 1, end: 'failed', kind: 'retry', busy: true },
    ],
  })
  expect(ids).toEqual([captureOf(2)])
})

test('a record that is gone is counted, and nothing is written unless it is asked for', async () => {
  const captures = [
    { hoursAgo: 2, end: 'indexed' as const, lost: true },
    { hoursAgo: 1, end: 'indexed' as const },
  ]
  const looked = await audited({ captures })
  expect(looked.result).toEqual({ compared: 1, missing: 1, old: 0, repaired: 0, rejected: 0, unreadable: 1 })
  expect(looked.compared).toEqual([{ captureId: captureOf(1), repair: false }])
  expect((await audited({ captures }, { repair: true })).result.repaired).toBe(1)
})

test('a sample takes so many of the captures since a time, and no others', async () => {
  const captures = Array.from({ length: 500 }, (_, at) => ({ hoursAgo: at / 10, end: 'indexed' as const }))
  const { ids, result } = await audited({ captures }, { sample: 50, sinceMs: NOW - 24 * HOUR_MS })
  expect(result.compared).toBe(50)
  expect(new Set(ids).size).toBe(50)
  expect(ids.every((id) => id >= captureOf(24))).toBe(true)
  expect(ids).toEqual(ids.toSorted())
})
