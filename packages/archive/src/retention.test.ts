import { type FileHandle, open, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createArchive } from './archive.ts'
import { createArchiveReader } from './reader.ts'
import { removeSegments } from './retention.ts'
import { fetchedPage, newFolder, newStamp, silent } from './test-data.ts'

let folder: string

beforeEach(async () => {
  folder = await newFolder()
})

afterEach(() => rm(folder, { recursive: true }))

/** A closed segment of one record, last changed at a time (seconds since 1970). */
async function keepClosed(kind: 'raw' | 'clean' | 'article', seconds: number) {
  const archive = createArchive({ folder, log: silent })
  const reference =
    kind === 'raw' ? await archive.keepCapture(newStamp(), fetchedPage('a')) : await archive.keepRecord(kind, newStamp(), 'a')
  await archive.close()
  await utimes(join(folder, reference.segment), seconds, seconds)
  return reference
}

const remove = (changes: object = {}) =>
  removeSegments({ folder, kind: 'raw', beforeMs: 2_000_000, inUse: new Set(), log: silent, ...changes })

describe('retention', () => {
  it('removes the old closed segments of its kind, and says which and how much', async () => {
    const [old, young, other] = [await keepClosed('raw', 1000), await keepClosed('raw', 3000), await keepClosed('clean', 1000)]
    const result = await remove()
    expect(result).toEqual({ removed: [old.segment], bytes: old.offset + old.length, kept: [] })
    expect((await readdir(folder)).toSorted()).toEqual([young.segment, other.segment].toSorted())
    const reader = createArchiveReader({ folder })
    await expect(reader.readRecord(old)).rejects.toMatchObject({ code: 'record-lost' })
    await reader.close()
    expect(await remove({ kind: 'clean' })).toMatchObject({ removed: [other.segment] })
  })

  it('keeps what is in use, however old', async () => {
    const [used, free] = [await keepClosed('raw', 1000), await keepClosed('raw', 1000)]
    expect(await remove({ inUse: new Set([used.segment]) })).toMatchObject({ removed: [free.segment], kept: [used.segment] })
    expect(await readdir(folder)).toEqual([used.segment])
  })

  it('never takes a segment that is open, or that the sweep is closing, or a file of another name', async () => {
    const archive = createArchive({ folder, log: silent })
    const open = await archive.keepCapture(newStamp(), fetchedPage('a'))
    await utimes(join(folder, `${open.segment}.open`), 1000, 1000)
    const closing = await keepClosed('raw', 1000)
    await writeFile(join(folder, `${closing.segment}.closing`), '')
    await writeFile(join(folder, 'raw-note.txt'), '')
    await utimes(join(folder, 'raw-note.txt'), 1000, 1000)
    const before = await readdir(folder)
    expect(await remove()).toEqual({ removed: [], bytes: 0, kept: [] })
    expect(await readdir(folder)).toEqual(before)
    await archive.close()
  })

  it('makes the removal durable', async () => {
    const probe = await open(import.meta.filename)
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'sync')
    await probe.close()
    await keepClosed('raw', 1000)
    sync.mockClear()
    await remove()
    expect(sync).toHaveBeenCalledTimes(1)
    sync.mockRestore()
  })

  it.each(['article', 'ends', 'intake', '', undefined])('refuses the kind %j', async (kind) => {
    await keepClosed('article', 1000)
    await expect(remove({ kind })).rejects.toThrow(TypeError)
    expect(await readdir(folder)).toHaveLength(1)
  })

  it('finds nothing in a folder that is not there, and two at once remove each segment once', async () => {
    expect(await remove({ folder: join(folder, 'missing') })).toEqual({ removed: [], bytes: 0, kept: [] })
    for (let at = 0; at < 5; at += 1) await keepClosed('raw', 1000)
    const results = await Promise.all([remove(), remove()])
    expect(results.flatMap(({ removed }) => removed)).toHaveLength(5)
  })
})
