import fs, { appendFile, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { type Archive, createArchive } from './archive.ts'
import { openSegment } from './descriptors.ts'
import { findEnds } from './find-ends.ts'
import { createIntakeTail } from './intake-tail.ts'
import { scanSegments, type ScannedRecord } from './scan.ts'
import { endRecord, fetchedPage, intakeRecord, newFolder, newStamp, silent } from './test-data.ts'

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

async function scan(...args: Parameters<typeof scanSegments>): Promise<ScannedRecord[]> {
  const all: ScannedRecord[] = []
  for await (const each of scanSegments(...args)) all.push(each)
  return all
}

describe('a scan', () => {
  it('finds every record of its kind with the reference that was given out, in open and closed segments, longer than its window too', async () => {
    const references = []
    for (const size of [10, 3_000_000, 10, 900_000]) {
      references.push(await archive.keepCapture(newStamp(), fetchedPage(randomBytes(size / 2).toString('hex'))))
    }
    await archive.keepRecord('clean', newStamp(), 'other kind')
    await archive.close()
    archive = createArchive({ folder, log: silent })
    references.push(await archive.keepCapture(newStamp(), fetchedPage('open')))
    expect((await scan(folder, 'raw')).map(({ reference }) => reference)).toEqual(references)
  })

  it.each(['torn member', 'zeros', 'text'])('stops before a tail of %s', async (what) => {
    const stamps = [newStamp(), newStamp()]
    const references = [await archive.keepRecord('clean', stamps[0]!, 1), await archive.keepRecord('clean', stamps[1]!, 2)]
    const path = join(folder, `${references[0]!.segment}.open`)
    if (what === 'torn member') await writeFile(path, (await readFile(path)).subarray(0, references[1]!.offset + references[1]!.length - 3))
    else await appendFile(path, what === 'zeros' ? Buffer.alloc(5000) : 'x'.repeat(2_000_000))
    const found = await scan(folder, 'clean')
    expect(found.map(({ record }) => record)).toEqual(
      (what === 'torn member' ? [1] : [1, 2]).map((content, at) => ({ ...stamps[at], content })),
    )
  })

  it('passes over segments whose last change is too old, and a folder that is not there', async () => {
    const { segment } = await archive.keepRecord('clean', newStamp(), 1)
    await utimes(join(folder, `${segment}.open`), 1000, 1000)
    expect(await scan(folder, 'clean', { sinceMs: 2_000_000 })).toEqual([])
    expect(await scan(folder, 'clean')).toHaveLength(1)
    expect(await scan(join(folder, 'missing'), 'clean')).toEqual([])
  })
})

describe('a segment that is closed while it is looked for', () => {
  const { readdir: real } = fs
  afterEach(() => {
    vi.restoreAllMocks()
    syncBuiltinESMExports()
  })

  /** Closes the segment during the listings given: the folder's reading leaves it out, as the system may. */
  async function closeDuring(listings: ('before' | 'during')[]): Promise<unknown[]> {
    const { segment } = await archive.keepRecord('clean', newStamp(), 'kept')
    const path = join(folder, segment)
    const spy = vi.spyOn(fs, 'readdir') as unknown as MockInstance<(path: string) => Promise<string[]>>
    for (const listing of listings) {
      spy.mockImplementationOnce(async (asked) => {
        const names = await real(asked)
        await rename(`${path}.open`, path).catch(() => undefined)
        return listing === 'before' ? names : names.filter((name) => !name.startsWith(segment))
      })
    }
    syncBuiltinESMExports()
    const found = await scan(folder, 'clean')
    return found.map(({ record }) => (record as { content: unknown }).content)
  }

  it('is not missed where the folder, read at that moment, does not name it', async () => {
    expect(await closeDuring(['during'])).toEqual(['kept'])
  })

  it('is read once where the folder names it under its old name and then its new one', async () => {
    expect(await closeDuring(['before'])).toEqual(['kept'])
  })

  it('is read under the name that it has longest: open first', async () => {
    const { segment } = await archive.keepRecord('clean', newStamp(), 'kept')
    await writeFile(join(folder, segment), 'under the plain name')
    const handle = await openSegment(folder, segment)
    expect((await handle.readFile()).equals(await readFile(join(folder, `${segment}.open`)))).toBe(true)
    await handle.close()
  })
})

describe('the intake tail', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString()
  const since = (minute: number) => Date.parse(at(minute))

  it('gives the records of its window each time, the newest last, and those that were added meanwhile', async () => {
    const tail = createIntakeTail(folder)
    expect(await tail.read(0)).toEqual([])
    const records = [3, 1, 5].map((minute) => intakeRecord(at(minute)))
    for (const record of records) await archive.keepIntake(record)
    const other = createArchive({ folder, log: silent })
    records.push(intakeRecord(at(4)))
    await other.keepIntake(records[3]!)
    await other.close()
    const [three, one, five, four] = records
    expect(await tail.read(since(0))).toEqual([one, three, four, five])
    expect(await tail.read(since(4))).toEqual([four, five])
    const six = intakeRecord(at(6))
    await archive.keepIntake(six)
    expect(await tail.read(since(4))).toEqual([four, five, six])
  })

  it('reads again what it had passed over when the time goes back, as after a Redis from an older state', async () => {
    const tail = createIntakeTail(folder)
    const records = [1, 2, 3].map((minute) => intakeRecord(at(minute)))
    for (const record of records) await archive.keepIntake(record)
    expect(await tail.read(since(3))).toEqual([records[2]])
    expect(await tail.read(since(1))).toEqual(records)
  })
})

describe('the ends of captures', () => {
  it('are those of the highest rev, then run, in whatever segment; retries and dismissals count among them', async () => {
    const [a, b, c] = [newStamp(), newStamp(), newStamp()]
    const newer = createArchive({ folder, log: silent })
    newer.end(endRecord({ ...a, run: 5 }, { outcome: 'failed', code: 'internal' }))
    newer.end(endRecord({ ...b, rev: 1, run: 1 }, { outcome: 'stale' }))
    await newer.close()
    archive.end(endRecord({ ...a, run: 6 }, { kind: 'retry' }))
    archive.end(endRecord({ ...a, run: 4 }))
    archive.end(endRecord({ ...b, rev: 0, run: 9 }))
    archive.end(endRecord(c))
    await archive.flush()
    const ends = await findEnds(folder, [a.captureId, b.captureId, newStamp().captureId], 0)
    const found = Object.fromEntries([...ends].map(([id, { kind, rev, run }]) => [id, [kind, rev, run]]))
    expect(found).toEqual({ [a.captureId]: ['retry', 0, 6], [b.captureId]: ['end', 1, 1] })
  })
})
