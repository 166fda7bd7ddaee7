import { chmod, type FileHandle, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkFolder } from './check-folder.ts'
import { freeBytes } from './free-bytes.ts'
import { newFolder } from './test-data.ts'

let root: string
let folder: string

beforeEach(async () => {
  root = await newFolder()
  folder = join(root, 'archive')
})

afterEach(async () => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  await chmod(folder, 0o750).catch(() => undefined)
  await rm(root, { recursive: true })
})

/** Runs as a user who is not root, to whom permissions apply. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

/** Every file handle's sync or write fails as a disk would: no test can fill a real one. */
async function failOn(method: 'sync' | 'writeFile', code: string): Promise<void> {
  const probe = await open(import.meta.filename)
  vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, method).mockRejectedValue(Object.assign(new Error(code), { code }))
  await probe.close()
}

describe('the check of the archive folder', () => {
  it('passes a folder that can be written, made where it is missing, and leaves nothing in it', async () => {
    await checkFolder(folder)
    await checkFolder(folder)
    expect(await readdir(folder)).toEqual([])
  })

  it.each([
    [0o500, /^cannot write to the archive in .*: the folder is not writable for the service's user \(uid \d+\): make it that user's own$/],
    [0o300, /^cannot read the archive in .*: the folder is not readable for the service's user/],
    [0o000, /^cannot write to the archive in .*: the folder is not writable/],
  ])('says whose folder it should be where its rights are %o', async (rights, message) => {
    await chmod(root, 0o777)
    await asNobody(async () => {
      await mkdir(folder)
      await chmod(folder, rights)
      await expect(checkFolder(folder)).rejects.toThrow(message)
    })
    await chmod(folder, 0o750)
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['archive', 'archive/below'])('says that a file is no folder: %s', async (below) => {
    await writeFile(folder, '')
    await expect(checkFolder(join(root, below))).rejects.toThrow(/it is no folder: name a folder for the archive$/)
    expect(await readdir(root)).toEqual(['archive'])
  })

  it.each([
    ['writeFile', 'ENOSPC', 'the disk is full: free space'],
    ['sync', 'EIO', 'the disk answers with errors'],
    ['sync', 'EDQUOT', 'the disk quota is used up'],
    ['writeFile', 'ESTRANGE', 'ESTRANGE'],
  ] as const)('says what is wrong where %s fails with %s, with its cause, and leaves nothing behind', async (method, code, sentence) => {
    await failOn(method, code)
    const error = await checkFolder(folder).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      message: expect.stringContaining(`cannot write to the archive in ${folder}: ${sentence}`),
      cause: { code },
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('says that the disk lies where a file reads differently from what was written', async () => {
    vi.spyOn(fs, 'readFile').mockResolvedValueOnce(Buffer.from('else'))
    syncBuiltinESMExports()
    await expect(checkFolder(folder)).rejects.toThrow(/cannot read the archive .*reads differently: check the disk/)
    expect(await readdir(folder)).toEqual([])
  })
})

describe('free bytes', () => {
  it('are those of the disk on which the folder lies, or will lie', async () => {
    const free = await freeBytes(root)
    expect(free).toBeGreaterThan(0)
    expect(Math.abs((await freeBytes(join(folder, 'not', 'yet'))) - free)).toBeLessThan(1e9)
  })

  it('are not guessed where the path is no folder', async () => {
    await writeFile(folder, '')
    await expect(freeBytes(join(folder, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })
})
