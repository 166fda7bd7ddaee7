import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Damage, createArchive, createArchiveReader, createIntakeTail, findEnds, readEpoch, scanSegments } from '@copydesk/archive'
import {
  ArticleRecord,
  CaptureId,
  CleanedPage,
  EndRecord,
  Envelope,
  IntakeRecord,
  RecordStamp,
  STAGES,
  type StageName,
} from '@copydesk/contracts'
import { PermanentError } from '@copydesk/pipeline'
import { DEFAULT_TAIL_CHECK, reconcile, runJob, tailCheck } from '@copydesk/queue'
import { fetchStage } from '../../services/fetch/src/stage.ts'
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { Dump, restoreKeys } from '../fixtures/wire/dump.ts'
import { invented, wirePipeline } from '../fixtures/wire/pipeline.ts'
import { messageSchemas } from '../fixtures/wire/schemas.ts'
import { silent } from '../support/redis.ts'

const V1 = join(import.meta.dirname, '../fixtures/wire/v1')
const ARCHIVE = join(V1, 'archive')

/** The captures of the fixture, by the last part of their address. */
const id = (at: number) => CaptureId.parse(`01a20cc8-${(0x8e80 + at * 1000).toString(16)}-7000-8000-${String(at).padStart(12, '0')}`)
const FLAKY = id(1)
const INDEXING = id(2)
const DESCRIBED = id(3)
const DEADLY = id(4)
const SECRET = id(5)
const OLDER_SECRET = id(6)
const CLEANED = id(7)
const HANDED_IN = id(8)
const WAITING = id(9)
const AGAIN = id(10)
const IN_FLIGHT: [CaptureId, StageName][] = [
  [INDEXING, 'index'],
  [DESCRIBED, 'extract-metadata'],
  [CLEANED, 'clean'],
  [HANDED_IN, 'clean'],
  [SECRET, 'fetch'],
  [WAITING, 'fetch'],
]

let dump: Dump
let epoch: string
beforeAll(async () => {
  dump = Dump.parse(await json('registry.json'))
  epoch = (await readEpoch(ARCHIVE)) ?? ''
})

async function json(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(V1, name), 'utf8'))
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'copydesk-wire-'))
  onTestFinished(async () => await rm(path, { recursive: true, force: true }))
  return path
}

/** The present pipeline on what version 1 left: its keys in Redis, and a copy of its archive. */
async function restored(keys: Dump = dump) {
  const path = await folder()
  await cp(ARCHIVE, path, { recursive: true })
  const prefix = `{test-${randomUUID().slice(0, 8)}}`
  const pipeline = wirePipeline({ redisUrl: inject('redisUrl'), prefix, epoch, folder: path, now: Date.now })
  onTestFinished(async () => {
    const left = await pipeline.redis.keys(`${prefix}:*`)
    if (left.length > 0) await pipeline.redis.del(left)
    await pipeline.close()
  })
  await restoreKeys(pipeline.redis, prefix, keys)
  return { ...pipeline, prefix, folder: path }
}

function fenceOf(captureId: CaptureId, stage: StageName, run: number) {
  return { captureId, stage, run, attempt: 1, ms: 1 }
}

/** Every envelope in the dump: of entries, and of jobs. */
function envelopes(): { key: string; text: string }[] {
  return Object.entries(dump).flatMap(([key, [type, value]]) => {
    const text = type === 'hash' ? (value['env'] ?? value['data']) : undefined
    return text === undefined ? [] : [{ key, text }]
  })
}

async function contentOf<T>(parse: (value: unknown) => T, kind: 'intake' | 'raw' | 'clean' | 'article' | 'ends'): Promise<T[]> {
  const found: T[] = []
  for await (const { record } of scanSegments(ARCHIVE, kind)) found.push(parse(record))
  return found
}

test('no schema of a message has changed in silence', async () => {
  const kept = (await json('schemas.json')) as Record<string, unknown>
  const now = messageSchemas()
  const names = [...new Set([...Object.keys(kept), ...Object.keys(now)])]
  const changed = names.filter((name) => JSON.stringify(kept[name]) !== JSON.stringify(now[name]))
  const advice =
    'What Redis and the archive hold of an earlier version must be read for ever. Where only an optional field, a new code or a new ' +
    'message was added, keep the schemas anew by node tests/fixtures/wire/make.ts v1 --schemas. For anything else give the record or ' +
    'envelope a new version (v), read both, and keep what it writes by node tests/fixtures/wire/make.ts v2.'
  expect(changed, `These messages of packages/contracts differ from those that were kept: ${changed.join(', ')}. ${advice}`).toEqual([])
})

test('the envelopes of every stage are read, those of entries and those of jobs, and nothing in them is dropped', () => {
  const all = envelopes()
  expect(all).toHaveLength(2 * IN_FLIGHT.length + 1)
  for (const { text } of all) expect(Envelope.parse(JSON.parse(text))).toEqual(JSON.parse(text))
  for (const { name } of STAGES) expect(all.filter(({ key }) => key.startsWith(`:${name}:`)).length).toBeGreaterThan(0)
})

test('every kind of record is read, without damage, and nothing in it is dropped', async () => {
  const damage: Damage[] = []
  const onDamage = (each: Damage) => void damage.push(each)
  for (const kind of ['intake', 'raw', 'clean', 'article', 'ends'] as const)
    for await (const { record } of scanSegments(ARCHIVE, kind, { onDamage })) expect(record).toHaveProperty('v', 1)
  expect(damage).toEqual([])
  const intake = await contentOf((value) => IntakeRecord.parse(value), 'intake')
  expect(intake.flatMap(({ items }) => items.map(({ captureId }) => captureId)).toSorted()).toEqual(
    Array.from({ length: 10 }, (_, at) => id(at + 1)),
  )
  const ends = await contentOf((value) => EndRecord.parse(value), 'ends')
  expect(ends.map(({ kind, outcome }) => [kind, outcome].join(' ')).toSorted()).toEqual(
    ['dismissal dismissed', 'end duplicate-run', 'end failed', 'end failed', 'end failed', 'end indexed', 'retry '].toSorted(),
  )
  for (const kind of ['raw', 'clean', 'article'] as const)
    expect((await contentOf((value) => RecordStamp.parse(value).v, kind)).length).toBeGreaterThan(0)
})

test('pages, fetched and handed in, are read by their references, with their bytes, and so is what was made of them', async () => {
  const reader = createArchiveReader({ folder: ARCHIVE })
  onTestFinished(async () => await reader.close())
  const refOf = (captureId: CaptureId) => Envelope.parse(JSON.parse(entry(captureId)['env'] ?? '')).ref!
  const fetched = await reader.readCapture(refOf(CLEANED))
  expect(fetched.capture).toEqual({ ...invented('https://example.com/cleaned').capture, hints: { title: 'A hint', tags: ['light'] } })
  expect(Buffer.from(fetched.body).toString()).toContain('The cleaned lighthouse')
  const handedIn = await reader.readCapture(refOf(HANDED_IN))
  expect(handedIn).toMatchObject({ head: null, capture: { source: 'bytes', url: 'https://example.com/handed-in' } })
  const cleaned = await reader.readRecord(refOf(DESCRIBED))
  expect(cleaned.stamp).toMatchObject({ captureId: DESCRIBED, rev: 0 })
  expect(CleanedPage.parse(cleaned.content)).toEqual(cleaned.content)
  const article = await reader.readRecord(refOf(INDEXING))
  expect(ArticleRecord.parse(article.content)).toEqual(article.content)
  expect(article.content).toMatchObject({ article: { captureId: INDEXING, title: 'The indexing lighthouse' } })
})

function entry(captureId: CaptureId): Record<string, string> {
  const [type, value] = dump[`:entry:${captureId}`] ?? ['none']
  if (type !== 'hash') throw new Error(`${captureId} has no entry`)
  return value
}

test('of each capture the end, retry or dismissal that counts is found', async () => {
  const ends = await findEnds(ARCHIVE, [FLAKY, DEADLY, SECRET, OLDER_SECRET, AGAIN, WAITING], 0)
  const kinds = [...ends].map(([captureId, { kind, outcome, code }]) => [captureId, [kind, outcome, code].filter(Boolean).join(' ')])
  expect(Object.fromEntries(kinds)).toEqual({
    [FLAKY]: 'end indexed',
    [DEADLY]: 'end failed parser-died',
    [SECRET]: 'retry',
    [OLDER_SECRET]: 'dismissal dismissed',
    [AGAIN]: 'end duplicate-run',
  })
})

test('the sums of a restored registry are those that it was left with', async () => {
  const { views } = await restored()
  const { accepted, inFlight, outcomes, balanced, late, stages } = await views.status()
  expect({ accepted, inFlight, balanced, late }).toEqual({ accepted: 10, inFlight: 6, balanced: true, late: 1 })
  expect(outcomes).toMatchObject({ indexed: 1, failed: 1, dismissed: 1, 'duplicate-run': 1 })
  expect(STAGES.map(({ name }) => stages[name].waiting)).toEqual([2, 2, 1, 1])
})

test('the trail of one that has ended is shown, by its id and by its address', async () => {
  const { views } = await restored()
  const view = await views.capture(FLAKY)
  expect(view).toMatchObject({ url: 'https://example.com/flaky', outcome: 'indexed', articleId: expect.stringMatching(/^[\w-]{22}$/) })
  expect(view?.events.map(({ event, stage, code }) => [event, stage, code].filter(Boolean).join(' '))).toEqual([
    'accepted fetch',
    'put-back fetch server-error',
    'handed-over fetch',
    'handed-over clean',
    'handed-over extract-metadata',
    'ended index',
  ])
  const known = await views.url('https://example.com/waiting')
  expect(known.captures.map(({ captureId, duplicateOf }) => [captureId, duplicateOf])).toEqual([
    [AGAIN, WAITING],
    [WAITING, undefined],
  ])
})

test('what was under way starts at its stage, with its envelope and a run greater than the last, and has its job', async () => {
  const { registry, queues } = await restored()
  for (const [captureId, stage] of IN_FLIGHT) {
    expect(await queues.has(stage, captureId)).toBe(true)
    const started = await registry.start(captureId, stage)
    expect(started?.envelope).toEqual(JSON.parse(entry(captureId)['env'] ?? ''))
    expect(started?.run).toBeGreaterThan(Number(entry(captureId)['run']))
    // A run of the version before is fenced off.
    expect(await registry.handOver(fenceOf(captureId, stage, Number(entry(captureId)['run'])), 'index', started!.envelope)).toBe(false)
  }
})

test('a key that is held holds back the same work', async () => {
  const { registry } = await restored()
  const again = { v: 1 as const, captureId: id(11), rev: 0, url: 'https://example.com/waiting', ref: null }
  const key = entry(WAITING)['key'] ?? ''
  expect(await registry.accept(again, { key, urlDigest: null })).toEqual({ kind: 'duplicate', duplicateOf: WAITING })
})

test('a dead letter is shown with its cause, and under way again after a retry', async () => {
  const { failures, registry, queues } = await restored()
  const { failures: letters, total } = await failures.list({ size: 10 })
  expect([total, letters]).toEqual([
    1,
    [
      expect.objectContaining({
        captureId: DEADLY,
        stage: 'clean',
        code: 'parser-died',
        cause: expect.stringContaining('ended its parser'),
      }),
    ],
  ])
  expect(await failures.retry(DEADLY)).toEqual({ captureId: DEADLY, stage: 'clean' })
  expect(await queues.has('clean', DEADLY)).toBe(true)
  expect(await registry.start(DEADLY, 'clean')).toMatchObject({ attempt: 1, envelope: JSON.parse(entry(DEADLY)['env'] ?? '') })
})

test('all that was under way goes through the present stages to its end, and the sums are right', async () => {
  const { run, views } = await restored()
  await run('fetch', 'clean', 'extract-metadata', 'index')
  const { accepted, inFlight, outcomes, balanced } = await views.status()
  // The retried one fails anew: its site has not changed.
  expect({ accepted, inFlight, balanced }).toEqual({ accepted: 10, inFlight: 0, balanced: true })
  expect(outcomes).toMatchObject({ indexed: 6, failed: 2, dismissed: 1, 'duplicate-run': 1 })
})

test('the tail check finds nothing that it would have to accept, and everything where Redis is as it was before', async () => {
  const { registry, queues, archive, folder, prefix, redis, views } = await restored()
  const tail = createIntakeTail(folder)
  const marks = { mark: async () => Number(await redis.get(`${prefix}:mark`)) }
  const check = async () => await tailCheck({ registry, queues, tail, marks, ends: archive }, Date.now(), DEFAULT_TAIL_CHECK)
  expect(await check()).toBe(0)
  await redis.del(await redis.keys(`${prefix}:*`))
  await redis.set(`${prefix}:epoch`, epoch)
  expect(await check()).toBe(10)
  const { accepted, inFlight, outcomes, balanced } = await views.status()
  expect({ accepted, inFlight, balanced }).toEqual({ accepted: 10, inFlight: 6, balanced: true })
  expect(outcomes).toMatchObject({ indexed: 1, failed: 1, dismissed: 1, 'duplicate-run': 1 })
})

/**
 * What a later version may leave behind. Where a test says `fails` the present code does not do yet what it asks for: it throws zod's own
 * error, or calls the record lost. The test turns red as soon as that is mended, and then `.fails` goes.
 */
const NEXT = { v: 2, captureId: id(12), rev: 0, run: 1 } as unknown as RecordStamp

test('a record of an unknown version is refused as one, in words', async () => {
  const path = await folder()
  const archive = createArchive({ folder: path, log: silent })
  const reader = createArchiveReader({ folder: path })
  onTestFinished(async () => {
    await archive.close()
    await reader.close()
  })
  const page = await archive.keepCapture(NEXT, invented('https://example.com/next'))
  const article = await archive.keepRecord('article', NEXT, {})
  const answers = await Promise.allSettled([reader.readCapture(page), reader.readRecord(page), reader.readRecord(article)])
  for (const answer of answers) {
    const error: unknown = answer.status === 'rejected' ? answer.reason : null
    expect(error).toBeInstanceOf(PermanentError)
    expect(error).toMatchObject({ code: 'schema', message: expect.stringMatching(/version 2/) })
  }
})

test('a scan goes past records of an unknown version and tells of them', async () => {
  const path = await folder()
  const archive = createArchive({ folder: path, log: silent })
  onTestFinished(async () => await archive.close())
  const at = new Date().toISOString()
  const known = { v: 1 as const, at, source: 'test', items: [] }
  await archive.keepIntake({ ...known, v: 2 } as unknown as IntakeRecord)
  await archive.keepIntake(known)
  const end = { v: 1 as const, captureId: id(12), rev: 0, run: 1, kind: 'end' as const, at, stage: 'index' as const }
  archive.end({ ...end, v: 2, run: 2, outcome: 'later' } as unknown as EndRecord)
  archive.end({ ...end, outcome: 'indexed' })
  await archive.flush()
  const told: string[] = []
  const onDamage = ({ segment, reason }: Damage) => void told.push(`${segment.split('-')[0]} ${reason}`)
  const tail = createIntakeTail(path, { onDamage })
  expect(await tail.read(0)).toEqual([known])
  expect((await tail.ends([id(12)], 0)).get(id(12))).toMatchObject({ outcome: 'indexed' })
  expect(told).toEqual(['intake unknown-version', 'ends unknown-version'])
})

/** The restored pipeline, with one entry more, whose envelope is of a later version. */
async function withNextEnvelope() {
  const pipeline = await restored()
  const next = { v: 2, captureId: id(12), rev: 0, url: 'https://example.com/next', ref: null } as unknown as Envelope
  await pipeline.registry.accept(next, { key: 'next', urlDigest: null })
  return pipeline
}

test('an envelope of an unknown version makes a dead letter that says so', async () => {
  const { registry, queues, archive, views } = await withNextEnvelope()
  const get = async () => await Promise.reject(new Error('asked for a page'))
  await runJob(fetchStage, id(12), new AbortController().signal, {
    deps: { get },
    registry,
    queues,
    records: {
      load: async () => null,
      keep: async () => await Promise.reject(new Error('unused')),
      end: (record: EndRecord) => archive.end(record),
    },
    log: silent,
    retry: { attempts: 3, baseMs: 1, maxMs: 1 },
    deadlineMs: 1000,
    observe() {},
    now: Date.now,
  })
  const reason: unknown = expect.stringMatching(/version/)
  expect(await views.capture(id(12))).toMatchObject({ stage: 'fetch', outcome: 'failed', code: 'schema', reason })
})

test('an envelope of an unknown version does not keep the reconciler from the others', async () => {
  const { registry, queues, redis, prefix } = await withNextEnvelope()
  await redis.del(`${prefix}:fetch:wait`, `${prefix}:fetch:${WAITING}`)
  await reconcile(registry, queues, { untouchedMs: -1000, againMs: 60_000 }, silent)
  expect(await queues.has('fetch', WAITING)).toBe(true)
})
