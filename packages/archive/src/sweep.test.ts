import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { appendFile, type FileHandle, mkdir, open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { armFailpoints } from '@copydesk/pipeline'
import type { Reference } from '@copydesk/contracts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Archive, createArchive } from './archive.ts'
import { newSegmentName } from './names.ts'
import { createArchiveReader } from './reader.ts'
import { scanSegments } from './scan.ts'
import { createSegment } from './segment.ts'
import { sweepSegments, type SweepOptions } from './sweep.ts'
import { fetchedPage, newFolder, newStamp, silent } from './test-data.ts'

const DEAD = randomUUID()
const HOUR = 3_600_000

let folder: string
/** What a dead process would not do. */
const closers: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = await newFolder()
})

afterEach(async () => {
  armFailpoints(null)
  for (const close of closers.splice(0)) await close().catch(() => undefined)
  await rm(folder, { recursive: true })
})

function sweep(changes: Partial<SweepOptions> = {}) {
  const later = () => Date.now() + HOUR + 1000
  return sweepSegments({ folder, untouchedMs: HOUR, isAlive: async () => false, log: silent, now: later, ...changes })
}

function newArchive(processId?: string): Archive {
  const archive = createArchive({ folder, log: silent, ...(processId !== undefined && { processId }) })
  closers.push(() => archive.close())
  return archive
}

async function newSegment(): Promise<string> {
  const segment = await createSegment(folder, newSegmentName('raw'), DEAD)
  closers.push(() => segment.close())
  return segment.name
}

/** A segment of a process that is gone without closing it: an archive that is not closed until the test is over. */
async function keepDead(contents: unknown[], processId: string | null = DEAD): Promise<Reference[]> {
  const archive = newArchive(processId ?? undefined)
  const references: Reference[] = []
  for (const content of contents) references.push(await archive.keepRecord('clean', newStamp(), content))
  return references
}

async function read(references: Reference[]): Promise<unknown[]> {
  const reader = createArchiveReader({ folder })
  const contents = []
  for (const reference of references) contents.push((await reader.readRecord(reference)).content)
  await reader.close()
  return contents
}

describe('the sweep', () => {
  it('closes what a dead process left, whole: every record is read by its reference, and nothing was cut', async () => {
    const references = await keepDead(['a', 'b'])
    const { segment } = references[0]!
    expect(await sweep()).toEqual({ closed: [segment], cut: [], removed: [] })
    expect(await readdir(folder)).toEqual([segment])
    expect(await read(references)).toEqual(['a', 'b'])
  })

  it.each([
    ['a torn record', (last: Buffer) => last.subarray(0, -7)],
    ['zeros', () => Buffer.alloc(3000)],
    ['one byte', () => Buffer.from('x')],
  ])('cuts a tail of %s, and nothing of what lies before it', async (_, tailOf) => {
    const references = await keepDead(['a', 'b', 'c'])
    const { segment, offset, length } = references[2]!
    const path = join(folder, `${segment}.open`)
    const bytes = await readFile(path)
    await appendFile(path, tailOf(bytes.subarray(offset, offset + length)))
    expect(await sweep()).toEqual({ closed: [segment], cut: [segment], removed: [] })
    expect((await readFile(join(folder, segment))).equals(bytes)).toBe(true)
    expect(await read(references)).toEqual(['a', 'b', 'c'])
  })

  it('cuts nothing where a whole record lies behind the garbage', async () => {
    const references = await keepDead(['a', 'b', 'c'])
    const { segment, offset, length } = references[1]!
    const path = join(folder, `${segment}.open`)
    const bytes = (await readFile(path)).fill(0, offset, offset + length)
    await writeFile(path, bytes)
    expect(await sweep()).toEqual({ closed: [segment], cut: [], removed: [] })
    expect(await read([references[0]!, references[2]!])).toEqual(['a', 'c'])
  })

  it('keeps a page without its metadata, which is whole, and cuts the torn metadata', async () => {
    const archive = newArchive(DEAD)
    const { segment, offset, length } = await archive.keepCapture(newStamp(), fetchedPage('x'.repeat(500)))
    await truncate(join(folder, `${segment}.open`), offset + length - 3)
    expect((await sweep()).cut).toEqual([segment])
    expect((await stat(join(folder, segment))).size).toBeGreaterThan(offset)
    expect(await Array.fromAsync(scanSegments(folder, 'raw', { onDamage: () => expect.unreachable() }))).toEqual([])
  })

  it.each([
    ['its first record', () => Promise.resolve()],
    ['a torn record behind it', (path: string) => appendFile(path, Buffer.from([0x1f, 0x8b, 8]))],
    ['half of its first record', (path: string) => truncate(path, 40)],
    ['nothing', (path: string) => truncate(path, 0)],
  ])('removes a segment that holds %s alone', async (_, change) => {
    const name = await newSegment()
    await change(join(folder, `${name}.open`))
    expect(await sweep()).toEqual({ closed: [], cut: [], removed: [name] })
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves alone what was written lately, what a live process holds, and what is no segment', async () => {
    const alive = randomUUID()
    const [live] = await keepDead(['a'], alive)
    const others = ['epoch', 'epoch.txt', 'note.open', 'raw-x.warc.gz.open', 'clean.closing']
    for (const name of others) await writeFile(join(folder, name), 'x')
    await keepDead(['b'])
    const before = readdirSync(folder)
    const asked: string[] = []
    const isAlive = async (id: string) => {
      asked.push(id)
      return id === alive
    }
    expect(await sweep({ isAlive, now: () => Date.now() + HOUR - 5000 })).toEqual({ closed: [], cut: [], removed: [] })
    expect([readdirSync(folder), asked]).toEqual([before, []])
    expect((await sweep({ isAlive })).closed).toHaveLength(1)
    expect(asked.toSorted()).toEqual([alive, DEAD].toSorted())
    expect(await readdir(folder)).toEqual(expect.arrayContaining([...others, `${live!.segment}.open`]))
  })

  it.each(['names none', 'is unreadable'])('counts a segment as of a dead process where its first record %s', async (how) => {
    const [reference] = how === 'names none' ? await keepDead(['a'], null) : await keepDead(['a'])
    const path = join(folder, `${reference!.segment}.open`)
    if (how === 'is unreadable') await writeFile(path, (await readFile(path)).fill(0, 20, 30))
    expect((await sweep({ isAlive: async () => true })).closed).toEqual([reference!.segment])
  })

  it('closes nothing, and says why, where it can not be told who lives', async () => {
    await keepDead(['a'])
    const before = await readdir(folder)
    await expect(sweep({ isAlive: () => Promise.reject(new Error('Redis is away')) })).rejects.toThrow('Redis is away')
    expect(await readdir(folder)).toEqual(before)
  })

  it('has nothing to do the second time, nor in a folder that is not there', async () => {
    await keepDead(['a'])
    await sweep()
    const nothing = { closed: [], cut: [], removed: [] }
    expect(await sweep()).toEqual(nothing)
    expect(await sweep({ folder: join(folder, 'missing') })).toEqual(nothing)
  })

  it('removes the drafts that a killed process left, when they are old', async () => {
    const drafts = [`epoch.${randomUUID()}`, `trial.${randomUUID()}`]
    for (const name of [...drafts, `epoch.${randomUUID()}`, 'epoch', 'trial']) await writeFile(join(folder, name), 'x')
    for (const name of [...drafts, 'epoch']) await utimes(join(folder, name), 1000, 1000)
    await sweep({ now: Date.now })
    expect((await readdir(folder)).map((name) => name.replace(/\..*/, ' of late')).toSorted()).toEqual(['epoch', 'epoch of late', 'trial'])
  })

  it('goes on with the others where one can not be closed', async () => {
    const [reference] = await keepDead(['a'])
    await mkdir(join(folder, `${newSegmentName('clean')}.open`))
    await mkdir(join(folder, `${reference!.segment.replace('clean', 'raw')}.open`))
    const warned: unknown[] = []
    const { closed } = await sweep({ log: { ...silent, warn: (fields: object) => void warned.push(fields) } })
    expect([closed, warned.length]).toEqual([[reference!.segment], 2])
  })
})

describe('what a sweep writes', () => {
  it('is on the disk in this order: the mark, what is left of the segment, its name, the end of the mark', async () => {
    const [reference] = await keepDead(['a'])
    const { segment, offset, length } = reference!
    await appendFile(join(folder, `${segment}.open`), 'torn')
    const synced: unknown[] = []
    const probe = await open(import.meta.filename)
    const handles = Object.getPrototypeOf(probe) as FileHandle
    await probe.close()
    const sync = Reflect.get<FileHandle, 'sync'>(handles, 'sync')
    vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
      const file = await this.stat()
      synced.push(
        file.isDirectory()
          ? readdirSync(folder)
              .map((name) => name.replace(segment, ''))
              .toSorted()
          : file.size,
      )
      await sync.call(this)
    })
    await sweep()
    vi.restoreAllMocks()
    expect(synced).toEqual([['.closing', '.open'], offset + length, ['', '.closing'], ['']])
  })
})

describe('a writer that was frozen', () => {
  it('gives out nothing more from a segment that was closed, and goes on in a new one', async () => {
    const archive = newArchive(DEAD)
    const before = await archive.keepRecord('clean', newStamp(), 'before')
    await sweep()
    await expect(archive.keepRecord('clean', newStamp(), 'meanwhile')).rejects.toMatchObject({ code: 'archive-unavailable' })
    const after = await archive.keepRecord('clean', newStamp(), 'after')
    expect(after.segment).not.toBe(before.segment)
    expect(await read([before, after])).toEqual(['before', 'after'])
    await archive.close()
  })

  it('closes its segment in peace when the sweep has closed or removed it', async () => {
    const archive = newArchive(DEAD)
    const reference = await archive.keepRecord('clean', newStamp(), 'x')
    const empty = await createSegment(folder, newSegmentName('raw'), DEAD)
    await sweep()
    await archive.close()
    await expect(empty.close()).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await read([reference])).toEqual(['x'])
    expect(await readdir(folder)).toEqual([reference.segment])
  })

  it('keeps what it wrote while the sweep took the name: nothing is cut that it may have given out', async () => {
    const archive = newArchive(DEAD)
    const references = [await archive.keepRecord('clean', newStamp(), 'first')]
    const path = join(folder, references[0]!.segment)
    // What is written by the writer as it wakes, between the look at who is alive and the taking of the name.
    const woken = Promise.withResolvers<void>()
    const isAlive = async () => {
      references.push(await archive.keepRecord('clean', newStamp(), 'second'))
      await appendFile(`${path}.open`, 'torn')
      woken.resolve()
      return false
    }
    expect(await sweep({ isAlive })).toMatchObject({ cut: [references[0]!.segment] })
    await woken.promise
    expect(await read(references)).toEqual(['first', 'second'])
  })
})

describe('a sweep that is killed', () => {
  /** The folder as a kill leaves it, at each place where something has changed; then another sweep. */
  it.each(['before', 'after'])('is ended by the next one: %s the rename', async (side) => {
    const references = await keepDead(['a', 'b'])
    const { segment } = references[0]!
    await appendFile(join(folder, `${segment}.open`), 'torn')
    armFailpoints((name, passed) => {
      if (name === 'segment.rename' && passed === side) throw new Error('killed')
    })
    await sweepAndLeaveMark()
    armFailpoints(null)
    expect((await readdir(folder)).toSorted()).toEqual([`${segment}.closing`, side === 'before' ? `${segment}.open` : segment].toSorted())
    expect(await read(references)).toEqual(['a', 'b'])
    expect(await sweep()).toEqual({ closed: [segment], cut: [segment], removed: [] })
    expect(await readdir(folder)).toEqual([segment])
    expect(await read(references)).toEqual(['a', 'b'])
  })

  /** The action of a failpoint throws: the sweep counts it as a fault of that segment, and would go on to its content. */
  async function sweepAndLeaveMark(): Promise<void> {
    const listed = sweep({ log: { ...silent, warn: stop } })
    await expect(listed).rejects.toThrow('stopped')
  }

  function stop(): never {
    throw new Error('stopped')
  }

  it('leaves a mark alone where the segment is gone, and the next one takes it away', async () => {
    await writeFile(join(folder, `${newSegmentName('clean')}.closing`), '')
    expect(await sweep()).toEqual({ closed: [], cut: [], removed: [] })
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves the segment of a live process as it is, mark or not', async () => {
    const [reference] = await keepDead(['a'])
    await writeFile(join(folder, `${reference!.segment}.closing`), '')
    const before = await readdir(folder)
    await sweep({ isAlive: async () => true })
    expect(await readdir(folder)).toEqual(before)
  })
})

describe('two sweeps at once', () => {
  it('do together what one does', async () => {
    const all: Reference[] = []
    for (let at = 0; at < 10; at += 1) {
      const references = await keepDead([at, at + 100])
      await appendFile(join(folder, `${references[0]!.segment}.open`), 'torn')
      all.push(...references)
      await newSegment()
    }
    const warned: unknown[] = []
    const log = { ...silent, warn: (fields: object) => void warned.push(fields) }
    await Promise.all([sweep({ log }), sweep({ log }), sweep({ log })])
    expect(warned).toEqual([])
    expect((await readdir(folder)).toSorted()).toEqual([...new Set(all.map(({ segment }) => segment))].toSorted())
    expect(await read(all)).toEqual(Array.from({ length: 10 }, (_, at) => [at, at + 100]).flat())
    const damage: unknown[] = []
    await Array.fromAsync(scanSegments(folder, 'clean', { onDamage: (each) => damage.push(each) }))
    expect(damage).toEqual([])
  })
})
