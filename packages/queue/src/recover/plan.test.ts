import { CaptureId, type EndRecord, type IntakeItem, type Reference } from '@copydesk/contracts'
import { v7 as uuidv7 } from 'uuid'
import { expect, test } from 'vitest'
import { fetchKey } from '../keys.ts'
import type { Kind, KeptRecord } from './ledger.ts'
import { planEntry } from './plan.ts'

const captureId = CaptureId.parse(uuidv7())
const url = 'https://news.example/a'
const segmentOf = (kind: Kind) => `${kind}-00000000-0000-7000-8000-000000000000.warc.gz`
const reference = (kind: Kind, run: number): Reference => ({ store: 'file', segment: segmentOf(kind), offset: run, length: 1 })
const record = (kind: Kind, run: number): KeptRecord => ({ kind, rev: 0, run, reference: reference(kind, run) })
const fetched: IntakeItem = { captureId, url, ref: null, key: 'its key', hints: { title: 'A hint' } }
const inHand: IntakeItem = { captureId, url, ref: reference('raw', 0), key: 'bytes' }
const open = (item: IntakeItem, records: KeptRecord[], end: EndRecord | null = null, run = end?.run ?? 0) =>
  planEntry({ item, rev: 0, run, end, records })
const failed = (stage: EndRecord['stage'], run: number): EndRecord => ({
  v: 1,
  captureId,
  rev: 0,
  run,
  kind: 'end',
  at: '2026-11-24T10:00:00.000Z',
  stage,
  outcome: 'failed',
  code: 'tls',
  cause: 'why',
})

test.each([
  ['nothing kept: fetch, and its key', fetched, [], { stage: 'fetch', ref: null, key: 'its key', run: 1 }],
  ['a page: clean', fetched, [record('raw', 5)], { stage: 'clean', ref: reference('raw', 5), key: null, run: 6 }],
  [
    'a cleaned page: extract-metadata',
    fetched,
    [record('raw', 5), record('clean', 6)],
    { stage: 'extract-metadata', ref: reference('clean', 6), key: null, run: 7 },
  ],
  [
    'an article: index',
    fetched,
    [record('article', 7), record('raw', 5), record('clean', 6)],
    { stage: 'index', ref: reference('article', 7), key: null, run: 8 },
  ],
  [
    'a page that was fetched again after its cleaned one was lost: clean',
    fetched,
    [record('clean', 6), record('raw', 9)],
    { stage: 'clean', ref: reference('raw', 9), key: null, run: 10 },
  ],
  ['bytes in hand: clean, and their key', inHand, [record('raw', 0)], { stage: 'clean', ref: reference('raw', 0), key: 'bytes', run: 1 }],
  [
    'bytes in hand whose record was not met: clean all the same',
    inHand,
    [],
    { stage: 'clean', ref: reference('raw', 0), key: 'bytes', run: 1 },
  ],
  [
    'bytes in hand that were lost and fetched: clean without the key',
    inHand,
    [record('raw', 4)],
    { stage: 'clean', ref: reference('raw', 4), key: null, run: 5 },
  ],
  [
    'bytes in hand that are cleaned: extract-metadata',
    inHand,
    [record('raw', 0), record('clean', 3)],
    { stage: 'extract-metadata', ref: reference('clean', 3), key: null, run: 4 },
  ],
])('%s', (_name, item, records, { ref, ...plan }) => {
  expect(open(item, records)).toMatchObject({ ...plan, dead: null, envelope: { v: 1, captureId, rev: 0, url, ref } })
  expect(open(item, records).envelope.hints).toEqual(item.hints)
})

test('the run is more than that of an end that a retry took back', () => {
  expect(open(fetched, [record('raw', 5)], null, 9).run).toBe(10)
})

test.each([
  ['at fetch', fetched, [], failed('fetch', 3), { stage: 'fetch', ref: null, key: 'its key' }],
  [
    'at index',
    fetched,
    [record('raw', 1), record('article', 3)],
    failed('index', 4),
    { stage: 'index', ref: reference('article', 3), key: null },
  ],
  [
    'at clean, though a frozen worker kept its output',
    fetched,
    [record('raw', 1), record('clean', 2)],
    failed('clean', 3),
    { stage: 'clean', ref: reference('raw', 1), key: null },
  ],
  [
    'at fetch, though a frozen worker kept its page',
    fetched,
    [record('raw', 1)],
    failed('fetch', 3),
    { stage: 'fetch', ref: null, key: 'its key' },
  ],
  [
    'at index, but its record is destroyed: where it can go on',
    fetched,
    [record('raw', 1)],
    failed('index', 4),
    { stage: 'clean', ref: reference('raw', 1), key: null },
  ],
  ['of bytes in hand', inHand, [record('raw', 0)], failed('clean', 3), { stage: 'clean', ref: reference('raw', 0), key: 'bytes' }],
  [
    'of bytes in hand that were lost, and whose address failed too',
    inHand,
    [],
    failed('fetch', 3),
    { stage: 'fetch', ref: null, key: fetchKey(url) },
  ],
])('a dead letter %s', (_name, item, records, end, { ref, ...plan }) => {
  const planned = open(item, records, end)
  expect(planned).toMatchObject({ ...plan, envelope: { ref }, run: end.run })
  expect(planned.dead).toEqual({ code: 'tls', cause: 'why', at: Date.parse(end.at), run: end.run })
})
