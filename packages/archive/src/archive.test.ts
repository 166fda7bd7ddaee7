import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { appendFile, copyFile, readdir, readFile, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Reference } from '@copydesk/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Archive, createArchive } from './archive.ts'
import { type ArchiveReader, createArchiveReader } from './reader.ts'
import { createRecordStore } from './record-store.ts'
import { bytesInHand, endRecord, fetchedPage, intakeRecord, newFolder, newStamp, silent } from './test-data.ts'

let folder: string
let archive: Archive
let reader: ArchiveReader

beforeEach(async () => {
  folder = await newFolder()
  archive = createArchive({ folder, log: silent })
  reader = createArchiveReader({ folder })
})

afterEach(async () => {
  await archive.close()
  await reader.close()
  await rm(folder, { recursive: true })
})

describe('the archive', () => {
  it('gives a fetched page back with its wire bytes, its head and what is known of it', async () => {
    const page = fetchedPage('<p>Text</p>')
    const stamp = newStamp({ rev: 2, run: 7 })
    const reference = await archive.keepCapture(stamp, page)
    const read = await reader.readCapture(reference)
    expect(read.capture).toEqual(page.capture)
    expect(read.head?.headers.map(([name, value]) => [name.toLowerCase(), value])).toEqual(
      page.head!.headers.map(([name, value]) => [name.toLowerCase(), value]),
    )
    expect(Buffer.from(read.body).toString()).toBe('<p>Text</p>')
    expect(await reader.readRecord(reference)).toEqual({ stamp, content: page.capture })
  })

  it('gives bytes in hand back, an empty body too', async () => {
    for (const text of ['A text', '']) {
      const page = bytesInHand(text)
      expect(await reader.readCapture(await archive.keepCapture(newStamp(), page))).toEqual(page)
    }
  })

  it('gives records back through the store that the runner asks for', async () => {
    const store = createRecordStore(archive, reader)
    expect(await store.load(await store.keep('clean', newStamp(), { blocks: ['é'] }))).toEqual({ blocks: ['é'] })
    const page = fetchedPage('x')
    expect(await store.load(await store.keep('raw', newStamp(), page))).toEqual(page.capture)
  })

  it('has segments by kind, open while they grow and closed with the archive, all of one process under one name each', async () => {
    await Promise.all([archive.keepCapture(newStamp(), fetchedPage('a')), archive.keepRecord('clean', newStamp(), 1)])
    await archive.keepRecord('article', newStamp(), 1)
    await archive.keepIntake(intakeRecord('2026-11-20T10:00:00.000Z'))
    archive.end(endRecord(newStamp()))
    await archive.flush()
    expect(kinds(await readdir(folder))).toEqual(['article.open', 'clean.open', 'ends.open', 'intake.open', 'raw.open'])
    await archive.close()
    expect(kinds(await readdir(folder))).toEqual(['article', 'clean', 'ends', 'intake', 'raw'])
    await expect(archive.keepRecord('clean', newStamp(), 1)).rejects.toMatchObject({ code: 'archive-unavailable' })
  })

  it('begins a new segment when another has written to its own', async () => {
    const before = await archive.keepRecord('clean', newStamp(), 'before')
    await appendFile(join(folder, `${before.segment}.open`), 'torn')
    await expect(archive.keepRecord('clean', newStamp(), 'meanwhile')).rejects.toMatchObject({
      name: 'RetryableError',
      message: expect.stringMatching(/the segment has \d+ bytes where \d+ were expected/),
    })
    const after = await archive.keepRecord('clean', newStamp(), 'after')
    expect(after.segment).not.toBe(before.segment)
    expect([(await reader.readRecord(before)).content, (await reader.readRecord(after)).content]).toEqual(['before', 'after'])
  })

  it.each(['closed', 'closed and replaced'])('begins a new segment when its own was %s by another', async (how) => {
    const before = await archive.keepRecord('clean', newStamp(), 'before')
    const path = join(folder, before.segment)
    await rename(`${path}.open`, path)
    if (how === 'closed and replaced') await copyFile(path, `${path}.open`)
    await expect(archive.keepRecord('clean', newStamp(), 'meanwhile')).rejects.toThrow('closed by another while it was written')
    const after = await archive.keepRecord('clean', newStamp(), 'after')
    expect(after.segment).not.toBe(before.segment)
    expect([(await reader.readRecord(before)).content, (await reader.readRecord(after)).content]).toEqual(['before', 'after'])
  })

  it('begins a new segment when its own was removed', async () => {
    const before = await archive.keepRecord('clean', newStamp(), 'before')
    await unlink(join(folder, `${before.segment}.open`))
    await expect(archive.keepRecord('clean', newStamp(), 'meanwhile')).rejects.toThrow('removed while it was written')
    expect((await archive.keepRecord('clean', newStamp(), 'after')).segment).not.toBe(before.segment)
  })

  it('names its process in the first record of each segment, where it was told which', async () => {
    const processId = randomUUID()
    const named = createArchive({ folder, log: silent, processId })
    const segments = [await named.keepRecord('clean', newStamp(), 1), await archive.keepRecord('clean', newStamp(), 1)]
    const blocks = segments.map(
      ({ segment }) =>
        gunzipSync(readFileSync(join(folder, `${segment}.open`)))
          .toString()
          .split('\r\n\r\n')[1],
    )
    const block = 'software: copydesk\r\nformat: WARC File Format 1.1'
    expect(blocks).toEqual([`${block}\r\nprocess: ${processId}`, block])
    await named.close()
  })

  it('says what is wrong where its folder is a file, and leaves nothing behind', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const broken = createArchive({ folder: join(file, 'archive'), log: silent })
    await expect(broken.keepRecord('clean', newStamp(), 1)).rejects.toThrow(/cannot write to the archive in .*: it is no folder/)
    broken.end(endRecord(newStamp()))
    await broken.close()
    expect(await readdir(folder)).toEqual(['file'])
  })
})

describe('a reader', () => {
  it('reads on across the closing of a segment, from a descriptor and by name', async () => {
    const reference = await archive.keepRecord('clean', newStamp(), 'x')
    await reader.readRecord(reference)
    await archive.close()
    expect((await reader.readRecord(reference)).content).toBe('x')
    const fresh = createArchiveReader({ folder })
    expect((await fresh.readRecord(reference)).content).toBe('x')
    await fresh.close()
  })

  it('reads more segments than it keeps open, at once and again', async () => {
    const references: Reference[] = []
    for (let at = 0; at < 80; at += 1) {
      const other = createArchive({ folder, log: silent })
      references.push(await other.keepRecord('clean', newStamp(), at))
      await other.close()
    }
    for (let round = 0; round < 2; round += 1) {
      const records = await Promise.all(references.map((reference) => reader.readRecord(reference)))
      expect(records.map(({ content }) => content)).toEqual(references.map((_, at) => at))
    }
  })

  it('says that a record is lost where its segment is gone, cut, changed, or not the one meant', async () => {
    const reference = await archive.keepRecord('clean', newStamp(), 'x'.repeat(500))
    const path = join(folder, `${reference.segment}.open`)
    const whole = await readFile(path)
    const lost = (why: string) => ({ name: 'PermanentError', code: 'record-lost', message: expect.stringContaining(why) })
    await expect(reader.readRecord({ ...reference, offset: reference.offset + 1, length: reference.length - 1 })).rejects.toMatchObject(
      lost('not those'),
    )
    await expect(reader.readRecord({ ...reference, length: reference.length - 1 })).rejects.toMatchObject(lost('too early'))
    await expect(reader.readCapture(reference)).rejects.toMatchObject(lost('no page'))
    await expect(reader.readRecord({ ...reference, segment: '../../etc/passwd' })).rejects.toMatchObject(lost('not a segment'))
    await expect(reader.readRecord({ ...reference, length: 1e9 })).rejects.toMatchObject(lost('over'))
    const changed = Buffer.from(whole)
    changed[reference.offset + 30] = changed[reference.offset + 30]! ^ 1
    await writeFile(path, changed)
    await expect(reader.readRecord(reference)).rejects.toMatchObject(lost('not those'))
    await truncate(path, reference.offset + 5)
    await expect(reader.readRecord(reference)).rejects.toMatchObject(lost('ends at'))
    await unlink(path)
    await expect(createArchiveReader({ folder }).readRecord(reference)).rejects.toMatchObject(lost('gone'))
  })
})

function kinds(names: string[]): string[] {
  return names.map((name) => name.replace(/-[0-9a-f-]{36}\.warc\.gz/, '')).toSorted()
}
