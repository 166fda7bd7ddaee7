import { existsSync, readdirSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createArchive } from './archive.ts'
import { readEpoch, writeEpoch } from './epoch.ts'
import { newSegmentName } from './names.ts'
import { createArchiveReader } from './reader.ts'
import { createSegment } from './segment.ts'
import { newFolder, newStamp, silent } from './test-data.ts'

/** What every file handle has: a disk's faults are put in here, which no real disk of a test would show. */
let handles: FileHandle
let folder: string

beforeAll(async () => {
  const probe = await open(import.meta.filename)
  handles = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
})

beforeEach(async () => {
  folder = await newFolder()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const diskError = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })

/** Every full sync from here on: of the one file its text, of the folder the names in it, as they were at that moment. */
function watchSyncs(): (string | string[])[] {
  const seen: (string | string[])[] = []
  const sync = Reflect.get<FileHandle, 'sync'>(handles, 'sync')
  vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    const isFolder = (await this.stat()).isDirectory()
    const names = readdirSync(folder)
    seen.push(isFolder ? names : await readFile(join(folder, names[0]!), 'utf8'))
    await sync.call(this)
  })
  return seen
}

describe('a segment', () => {
  it('gives out no reference to what the disk did not take, and goes on in a new one', async () => {
    const archive = createArchive({ folder, log: silent })
    const before = await archive.keepRecord('clean', newStamp(), 'before')
    vi.spyOn(handles, 'datasync').mockRejectedValueOnce(diskError)
    await expect(archive.keepRecord('clean', newStamp(), 'failed')).rejects.toMatchObject({
      code: 'archive-unavailable',
      message: expect.stringMatching(/the disk answers with errors/),
    })
    const after = await archive.keepRecord('clean', newStamp(), 'after')
    expect(after.segment).not.toBe(before.segment)
    const reader = createArchiveReader({ folder })
    expect([(await reader.readRecord(before)).content, (await reader.readRecord(after)).content]).toEqual(['before', 'after'])
    await reader.close()
    await archive.close()
  })

  it('syncs what it wrote before an append resolves, and what it wrote alone is not enough', async () => {
    const segment = await createSegment(folder, newSegmentName('raw'))
    const synced = Promise.withResolvers<void>()
    vi.spyOn(handles, 'datasync').mockReturnValueOnce(synced.promise)
    let resolved = false
    const append = segment.append([Buffer.from('bytes')]).then(() => (resolved = true))
    await expect.poll(() => readFile(join(folder, `${segment.name}.open`), 'latin1')).toMatch(/bytes$/)
    expect(resolved).toBe(false)
    synced.resolve()
    await append
    await segment.close()
  })

  it('makes its name durable as it begins, and the new one as it is closed', async () => {
    const syncs = watchSyncs()
    const segment = await createSegment(folder, newSegmentName('raw'))
    expect(syncs).toEqual([[`${segment.name}.open`]])
    await segment.close()
    expect(syncs).toEqual([[`${segment.name}.open`], [segment.name]])
  })

  it('does not begin, and leaves no file, where its name can not be made durable', async () => {
    vi.spyOn(handles, 'sync').mockRejectedValueOnce(diskError)
    await expect(createSegment(folder, newSegmentName('raw'))).rejects.toBe(diskError)
    expect(await readdir(folder)).toEqual([])
  })

  it('says how much of a write was taken where it was not all', async () => {
    const segment = await createSegment(folder, newSegmentName('raw'))
    vi.spyOn(handles, 'writev').mockImplementationOnce(async function (this: FileHandle, buffers) {
      const { bytesWritten } = await this.write(Buffer.from(buffers[0]!.buffer).subarray(0, 3))
      return { bytesWritten, buffers }
    })
    await expect(segment.append([Buffer.from('bytes')])).rejects.toThrow('only 3 of 5 bytes were taken')
    await segment.abandon()
  })

  it('never begins in a file that is there', async () => {
    const name = newSegmentName('raw')
    await writeFile(join(folder, `${name}.open`), 'of another')
    await expect(createSegment(folder, name)).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await readFile(join(folder, `${name}.open`), 'utf8')).toBe('of another')
  })
})

describe('the epoch', () => {
  it('is on the disk before it has its name, and its name before it counts as written', async () => {
    const syncs = watchSyncs()
    await writeEpoch(folder, 'first')
    expect(syncs).toEqual(['first\n', ['epoch']])
  })

  it('is none where the disk did not take it, and leaves nothing behind', async () => {
    vi.spyOn(handles, 'sync').mockRejectedValueOnce(diskError)
    await expect(writeEpoch(folder, 'first')).rejects.toBe(diskError)
    expect([await readEpoch(folder), existsSync(join(folder, 'epoch')), await readdir(folder)]).toEqual([null, false, []])
  })
})
