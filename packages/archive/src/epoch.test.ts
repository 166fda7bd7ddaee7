import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createArchive } from './archive.ts'
import { hasSegments, readEpoch, writeEpoch } from './epoch.ts'
import { newFolder, newStamp, silent } from './test-data.ts'

let root: string
let folder: string

beforeEach(async () => {
  root = await newFolder()
  folder = join(root, 'archive')
})

afterEach(() => rm(root, { recursive: true }))

describe('the epoch', () => {
  it('is none in a folder that is not there, and is read as it was written', async () => {
    expect(await readEpoch(folder)).toBeNull()
    expect(await writeEpoch(folder, 'first')).toBe('written')
    expect(await readEpoch(folder)).toBe('first')
  })

  it('is written once, whoever tries, and nothing else is left in the folder', async () => {
    const tries = await Promise.all(Array.from({ length: 10 }, (_, at) => writeEpoch(folder, `epoch ${at}`)))
    expect(tries.filter((result) => result === 'written')).toHaveLength(1)
    expect(await readEpoch(folder)).toBe(`epoch ${tries.indexOf('written')}`)
    expect(await readdir(folder)).toEqual(['epoch'])
  })
})

describe('whether an archive has segments', () => {
  it('is told from segments alone, open ones too', async () => {
    expect(await hasSegments(folder)).toBe(false)
    await writeEpoch(folder, 'x')
    expect(await hasSegments(folder)).toBe(false)
    const archive = createArchive({ folder, log: silent })
    await archive.keepRecord('clean', newStamp(), 1)
    expect(await hasSegments(folder)).toBe(true)
    await archive.close()
    expect(await hasSegments(folder)).toBe(true)
  })
})
