import { readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Archive, createArchive } from './archive.ts'
import type { Damage } from './damage.ts'
import { createLedgerReader } from './ledger-reader.ts'
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

describe('the ledger reader', () => {
  it('gives every intake record and every end, of open and closed segments', async () => {
    const records = [1, 2, 3].map((minute) => intakeRecord(`2026-11-20T10:0${minute}:00.000Z`))
    const ends = [endRecord(newStamp()), endRecord(newStamp({ rev: 1 }), { kind: 'retry' }), endRecord(newStamp(), { outcome: 'failed' })]
    for (const [at, record] of records.entries()) {
      await archive.keepIntake(record)
      archive.end(ends[at]!)
      if (at === 1) {
        await archive.close()
        archive = createArchive({ folder, log: silent })
      }
    }
    await archive.flush()
    const ledger = createLedgerReader(folder)
    expect(await Array.fromAsync(ledger.intake())).toEqual(records)
    expect(await Array.fromAsync(ledger.ends())).toEqual(ends)
  })

  it('gives whose each record is and where it lies: of a page, its metadata', async () => {
    const stamps = [newStamp(), newStamp({ rev: 3, run: 1_763_634_000_000 })]
    const pages = [await archive.keepCapture(stamps[0]!, fetchedPage('a')), await archive.keepCapture(stamps[1]!, fetchedPage('b'))]
    const clean = await archive.keepRecord('clean', stamps[1]!, { text: 'x'.repeat(5000), content: '"content":' })
    const ledger = createLedgerReader(folder)
    expect(await Array.fromAsync(ledger.records('raw', 0))).toEqual(pages.map((reference, at) => ({ stamp: stamps[at], reference })))
    expect(await Array.fromAsync(ledger.records('clean', 0))).toEqual([{ stamp: stamps[1], reference: clean }])
    expect(await Array.fromAsync(ledger.records('article', 0))).toEqual([])
  })

  it('reads a stamp in whatever order it was written, and tells of one that is none', async () => {
    const { v, captureId, rev, run } = newStamp()
    const blocks = [
      { content: 1, run, rev, captureId, v },
      { v, captureId: 'x', rev, run, content: 1 },
      { v: 2, captureId, rev, run, content: 1 },
    ]
    const members = blocks.map((block) => gzipSync(formatRecord('conversion', {}, Buffer.from(JSON.stringify(block)))))
    await writeFile(join(folder, 'clean-00000000-0000-7000-8000-000000000000.warc.gz'), Buffer.concat(members))
    const damage: Damage[] = []
    const found = await Array.fromAsync(createLedgerReader(folder, { onDamage: (each) => damage.push(each) }).records('clean', 0))
    expect(found.map(({ stamp }) => stamp)).toEqual([{ v, captureId, rev, run }])
    expect(damage.map(({ reason }) => reason)).toEqual(['schema', 'unknown-version'])
  })

  it('tells of a place once, however often it comes by', async () => {
    const { segment, offset } = await archive.keepRecord('clean', newStamp(), 'x')
    await archive.keepRecord('clean', newStamp(), 'y')
    await archive.close()
    const path = join(folder, segment)
    await writeFile(path, (await readFile(path)).fill(0, offset, offset + 30))
    const damage: Damage[] = []
    const ledger = createLedgerReader(folder, { onDamage: (each) => damage.push(each) })
    for (let time = 0; time < 2; time += 1) expect(await Array.fromAsync(ledger.records('clean', 0))).toHaveLength(1)
    expect(damage).toHaveLength(1)
  })

  it('says how much there is to read and how much was read, and passes over what is older', async () => {
    const old = await archive.keepRecord('clean', newStamp(), 'old')
    await archive.close()
    await utimes(join(folder, old.segment), 1000, 1000)
    archive = createArchive({ folder, log: silent })
    for (let at = 0; at < 5; at += 1) await archive.keepRecord('clean', newStamp(), at)
    const ledger = createLedgerReader(folder)
    const [all, young] = [await ledger.count('clean'), await ledger.count('clean', 2_000_000)]
    expect([all.segments, young.segments, all.bytes > young.bytes, await ledger.count('raw')]).toEqual([
      2,
      1,
      true,
      { segments: 0, bytes: 0 },
    ])
    const seen: number[] = []
    for await (const { reference } of ledger.records('clean', 2_000_000)) {
      expect(reference.segment).not.toBe(old.segment)
      seen.push(ledger.progress())
    }
    expect(seen).toHaveLength(5)
    expect(seen.at(-1)).toBe(young.bytes)
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
  })
})
