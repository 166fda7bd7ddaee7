import { randomBytes } from 'node:crypto'
import { rmSync, truncateSync } from 'node:fs'
import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Reference } from '@copydesk/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Archive, createArchive } from './archive.ts'
import type { Damage } from './damage.ts'
import { findEnds } from './find-ends.ts'
import { createIntakeTail } from './intake-tail.ts'
import { createLedgerReader } from './ledger-reader.ts'
import { createArchiveReader } from './reader.ts'
import { scanSegments } from './scan.ts'
import { endRecord, fetchedPage, intakeRecord, newFolder, newStamp, silent } from './test-data.ts'
import { formatRecord } from './warc-record.ts'

let folder: string
let archive: Archive

beforeEach(async () => {
  folder = await newFolder()
  archive = createArchive({ folder, log: silent })
})

afterEach(async () => {
  await archive.close()
  await rm(folder, { recursive: true })
})

async function scan(kind: 'raw' | 'clean' | 'ends') {
  const damage: Damage[] = []
  const references: Reference[] = []
  for await (const { reference } of scanSegments(folder, kind, { onDamage: (each) => damage.push(each) })) references.push(reference)
  return { references, damage }
}

async function change(segment: string, edit: (bytes: Buffer) => Buffer | void): Promise<void> {
  const path = join(folder, `${segment}.open`)
  const bytes = await readFile(path)
  await writeFile(path, edit(bytes) ?? bytes)
}

/** Five records of a kind in one segment, as text that packs well or not at all. */
async function keepFive(kind: 'clean' | 'raw', size = 2000): Promise<Reference[]> {
  const references: Reference[] = []
  for (let at = 0; at < 5; at += 1) {
    const text = `${at}`.repeat(100) + randomBytes(size).toString('base64')
    references.push(
      kind === 'clean' ? await archive.keepRecord('clean', newStamp(), text) : await archive.keepCapture(newStamp(), fetchedPage(text)),
    )
  }
  return references
}

const endOf = ({ offset, length }: Reference) => offset + length

describe('a scan of a segment with garbage in its middle', () => {
  const GARBAGE: [string, (length: number) => Buffer][] = [
    ['zeros', (length) => Buffer.alloc(length)],
    ['text', (length) => Buffer.alloc(length, 'text ')],
    ['noise', (length) => randomBytes(length)],
    ['beginnings of members', (length) => Buffer.alloc(length, gzipSync('WARC/1.1').subarray(0, 14))],
    ['a name without an end', (length) => Buffer.alloc(length, 1).fill(gzipSync('x').subarray(0, 10), 0, 10).fill(8, 3, 4)],
    ['whole members of another kind', (length) => Buffer.alloc(length, gzipSync('no record'))],
  ]

  it.each(GARBAGE)('goes on behind %s in a record, and says once what was destroyed', async (_, garbage) => {
    const references = await keepFive('clean')
    const hit = references[2]!
    await change(
      hit.segment,
      (bytes) => void garbage(hit.length - 40).copy(bytes, hit.offset + (_ === 'whole members of another kind' ? 0 : 20)),
    )
    const found = await scan('clean')
    expect(found.references).toEqual(references.filter((reference) => reference !== hit))
    expect(found.damage).toEqual([{ segment: hit.segment, at: hit.offset, bytes: hit.length, reason: 'garbage' }])
  })

  it.each(GARBAGE)('goes on behind %s over three records', async (_, garbage) => {
    const references = await keepFive('clean')
    const [first, , , last] = references
    const bytes = endOf(last!) - first!.offset
    await change(first!.segment, (whole) => void garbage(bytes).copy(whole, first!.offset))
    expect(await scan('clean')).toEqual({
      references: references.slice(4),
      damage: [{ segment: first!.segment, at: first!.offset, bytes, reason: 'garbage' }],
    })
  })

  it.each(GARBAGE)('goes on behind much of %s between two records, and both are read by their references', async (_, garbage) => {
    const references = await keepFive('clean')
    const split = references[3]!.offset
    await change(references[0]!.segment, (bytes) => Buffer.concat([bytes.subarray(0, split), garbage(100_000), bytes.subarray(split)]))
    const found = await scan('clean')
    const moved = references.slice(3).map((reference) => ({ ...reference, offset: reference.offset + 100_000 }))
    expect(found.references).toEqual([...references.slice(0, 3), ...moved])
    expect(found.damage).toEqual([{ segment: references[0]!.segment, at: split, bytes: 100_000, reason: 'garbage' }])
    const reader = createArchiveReader({ folder })
    for (const reference of found.references) expect(await reader.readRecord(reference)).toMatchObject({ stamp: { v: 1 } })
    await reader.close()
  })

  it('loses only the records that a random wound touches, wherever it is', async () => {
    const references = [...(await keepFive('raw', 90_000)), ...(await keepFive('raw', 300))]
    const { segment } = references[0]!
    const whole = await readFile(join(folder, `${segment}.open`))
    for (let round = 0; round < 60; round += 1) {
      const at = Math.floor(Math.random() * whole.length)
      const wound = randomBytes(1 + Math.floor(Math.random() ** 4 * 100_000)).subarray(0, whole.length - at)
      const changed = Buffer.from(whole)
      wound.copy(changed, at)
      if (changed.equals(whole)) continue
      await writeFile(join(folder, `${segment}.open`), changed)
      const untouched = references.filter((reference) => endOf(reference) <= at || reference.offset >= at + wound.length)
      const { references: found } = await scan('raw')
      expect(found, `${wound.length} bytes at ${at}: ${wound.toString('hex', 0, 100)}`).toEqual(untouched)
    }
  })

  it('does not take for a record what lies inside a page that was changed', async () => {
    const inner = gzipSync(formatRecord('metadata', {}, Buffer.from(JSON.stringify({ ...newStamp(), content: 'forged' }))))
    const page = fetchedPage('', { contentEncoding: ['gzip'] })
    const body = Buffer.concat([randomBytes(100), gzipSync(formatRecord('response', {}, Buffer.from('x'))), inner])
    const forged = await archive.keepCapture(newStamp(), { ...page, body })
    const next = await archive.keepCapture(newStamp(), page)
    await change(forged.segment, (bytes) => {
      expect(bytes.includes(inner)).toBe(true)
      const at = bytes.indexOf(body.subarray(0, 100))
      bytes[at] = bytes[at]! ^ 1
    })
    expect(await scan('raw')).toEqual({
      references: [next],
      damage: [{ segment: next.segment, at: forged.offset, bytes: forged.length, reason: 'page-lost' }],
    })
  })
})

describe('the end of a segment', () => {
  it.each(['torn', 'zeros'])('is silent while the segment is open, and while the sweep closes it: %s', async (what) => {
    const [first] = await keepFive('clean')
    const path = join(folder, first!.segment)
    const whole = await readFile(`${path}.open`)
    if (what === 'torn') await writeFile(`${path}.open`, whole.subarray(0, -10))
    else await appendFile(`${path}.open`, Buffer.alloc(5000))
    expect((await scan('clean')).damage).toEqual([])
    await rename(`${path}.open`, path)
    await writeFile(`${path}.closing`, '')
    expect((await scan('clean')).damage).toEqual([])
    await rm(`${path}.closing`)
    expect((await scan('clean')).damage).toEqual([expect.objectContaining({ segment: first!.segment, reason: 'garbage' })])
    await archive.close().catch(() => undefined)
  })
})

describe('the tail of a closed segment', () => {
  it('is no damage where the sweep cuts it while it is read', async () => {
    const [first] = await keepFive('clean')
    const path = join(folder, first!.segment)
    const { length } = await readFile(`${path}.open`)
    await rename(`${path}.open`, path)
    await writeFile(`${path}.closing`, '')
    await appendFile(path, 'torn')
    const damage: Damage[] = []
    const onRead = () => {
      truncateSync(path, length)
      rmSync(`${path}.closing`, { force: true })
    }
    await Array.fromAsync(scanSegments(folder, 'clean', { onDamage: (each) => damage.push(each), onRead }))
    expect(damage).toEqual([])
  })
})

describe('a page one of whose records was destroyed', () => {
  it('is not read with the metadata of the next one, nor the next one without its own', async () => {
    const references = await keepFive('raw')
    const damaged = references[2]!
    // The response is the larger of the two records, and comes first.
    await change(damaged.segment, (bytes) => void bytes.fill(0, damaged.offset + 10, damaged.offset + 200))
    const found = await scan('raw')
    expect(found.references).toEqual(references.filter((reference) => reference !== damaged))
    expect(found.damage).toEqual([{ segment: damaged.segment, at: damaged.offset, bytes: damaged.length, reason: 'page-lost' }])
  })

  it('is lost with its metadata too, where the next page is whole', async () => {
    const references = await keepFive('raw')
    const damaged = references[2]!
    await change(damaged.segment, (bytes) => void bytes.fill(0, endOf(damaged) - 40, endOf(damaged)))
    const found = await scan('raw')
    expect(found.references).toEqual(references.filter((reference) => reference !== damaged))
    expect(found.damage).toEqual([expect.objectContaining({ segment: damaged.segment, reason: 'garbage' })])
  })

  it('is not read with the metadata of another where neither says whose it is, as other writers leave it', async () => {
    const { captureId } = newStamp()
    const [page, about] = [
      gzipSync(formatRecord('response', {}, Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))),
      gzipSync(formatRecord('metadata', {}, Buffer.from(JSON.stringify({ v: 1, captureId, rev: 0, run: 1, content: {} })))),
    ]
    const segment = 'raw-00000000-0000-7000-8000-000000000000.warc.gz'
    await writeFile(join(folder, segment), Buffer.concat([page, about, page, Buffer.alloc(100), about]))
    const found = await scan('raw')
    expect(found.references).toEqual([{ store: 'file', segment, offset: 0, length: page.length + about.length }])
    const at = 2 * page.length + about.length
    expect(found.damage).toEqual([{ segment, at, bytes: 100 + about.length, reason: 'page-lost' }])
  })

  it('is not found where bytes were cut out, so that a page and the metadata of another meet', async () => {
    const [first, second, ...rest] = await keepFive('raw')
    await change(first!.segment, (bytes) => {
      const about = lastMember(bytes, first!)
      return Buffer.concat([bytes.subarray(0, about), bytes.subarray(lastMember(bytes, second!))])
    })
    const found = await scan('raw')
    expect(found.references).toHaveLength(rest.length)
    expect(found.damage).toEqual([expect.objectContaining({ reason: 'page-lost' })])
  })
})

/** Where the second of a page's two members begins: the last place that looks like one. */
function lastMember(bytes: Buffer, { offset, length }: Reference): number {
  return bytes.subarray(0, offset + length).lastIndexOf(gzipSync('').subarray(0, 4))
}

describe('a record of another form', () => {
  async function writeRecords(kind: 'intake' | 'ends', ...blocks: string[]): Promise<void> {
    const members = blocks.map((block) => gzipSync(formatRecord('metadata', {}, Buffer.from(block))))
    await writeFile(join(folder, `${kind}-00000000-0000-7000-8000-000000000000.warc.gz`), Buffer.concat(members))
  }

  const known = endRecord(newStamp())
  const BAD: [string, string, string][] = [
    ['an unknown version', JSON.stringify({ ...known, v: 2 }), 'unknown-version'],
    ['no JSON', '{"v":1', 'no-json'],
    ['no object', 'null', 'schema'],
    ['no version', '{}', 'schema'],
    ['another form', JSON.stringify({ ...known, at: 'yesterday', items: 7 }), 'schema'],
  ]

  it.each(BAD)('stops neither the ends nor what looks for them: %s', async (_, bad, reason) => {
    await writeRecords('ends', bad, JSON.stringify(known))
    const damage: Damage[] = []
    const onDamage = (each: Damage) => damage.push(each)
    expect(await findEnds(folder, [known.captureId], 0, { onDamage })).toEqual(new Map([[known.captureId, known]]))
    expect(await Array.fromAsync(createLedgerReader(folder, { onDamage }).ends())).toEqual([known])
    expect(damage.map((each) => each.reason)).toEqual([reason, reason])
  })

  it.each(BAD)('does not stop the intake tail, which tells of it once, however often it reads: %s', async (_, bad, reason) => {
    const intake = intakeRecord('2026-11-20T10:00:00.000Z')
    await writeRecords('intake', bad, JSON.stringify(intake), bad)
    const damage: Damage[] = []
    const tail = createIntakeTail(folder, { onDamage: (each) => damage.push(each) })
    for (let time = 0; time < 3; time += 1) expect(await tail.read(0)).toEqual([intake])
    expect(damage.map((each) => each.reason)).toEqual([reason, reason])
  })

  it('is gone past without anybody to tell', async () => {
    await writeRecords('intake', '{}')
    expect(await createIntakeTail(folder).read(0)).toEqual([])
    expect(await Array.fromAsync(createLedgerReader(folder).intake())).toEqual([])
  })
})
