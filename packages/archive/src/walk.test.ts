import { randomBytes } from 'node:crypto'
import { appendFileSync, truncateSync } from 'node:fs'
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newFolder } from './test-data.ts'
import { firstRecord, walkSegment } from './walk.ts'
import { formatRecord } from './warc-record.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await newFolder()
  path = join(folder, 'segment')
})

afterEach(() => rm(folder, { recursive: true }))

const member = (text: string) => gzipSync(formatRecord('metadata', {}, Buffer.from(text)))

interface WalkOptions {
  from?: number
  meanwhile?: (handle: FileHandle) => void
}

/** Where each piece begins and ends, and what it is. `meanwhile` is done when the first piece has come. */
async function walk(content: Buffer, { from = 0, meanwhile }: WalkOptions = {}): Promise<[string, number, number][]> {
  await writeFile(path, content)
  const handle = await open(path)
  const pieces: [string, number, number][] = []
  for await (const piece of walkSegment(handle, from)) {
    if (pieces.length === 0) meanwhile?.(handle)
    pieces.push(['record' in piece ? piece.record.block.toString() : piece.tail ? 'tail' : 'gap', piece.at, piece.end])
  }
  await handle.close()
  return pieces
}

describe('a walk through a segment', () => {
  it('meets every byte once: records, gaps between them, and the tail', async () => {
    const [a, b] = [member('a'), member('b')]
    const pieces = await walk(Buffer.concat([a, Buffer.alloc(50), b, b, Buffer.alloc(9, 'x')]))
    const ends = [a.length, a.length + 50, a.length + 50 + b.length, a.length + 50 + 2 * b.length, a.length + 59 + 2 * b.length]
    expect(pieces).toEqual(['a', 'gap', 'b', 'b', 'tail'].map((name, at) => [name, ends[at - 1] ?? 0, ends[at]]))
    expect(await walk(Buffer.concat([a, b]), { from: a.length })).toEqual([['b', a.length, a.length + b.length]])
    expect(await walk(Buffer.alloc(0))).toEqual([])
  })

  it('takes no part in what is appended meanwhile', async () => {
    const pieces = await walk(member('a'), { meanwhile: () => appendFileSync(path, member('b')) })
    expect(pieces.map(([name]) => name)).toEqual(['a'])
  })

  it('ends where the file was cut meanwhile', async () => {
    const long = member(randomBytes(2_000_000).toString('hex'))
    const a = member('a')
    const cutAt = a.length + 500_000
    const pieces = await walk(Buffer.concat([a, long, a]), { meanwhile: () => truncateSync(path, cutAt) })
    expect(pieces.at(-1)?.[2]).toBeLessThan(cutAt + 1024 * 1024)
    expect(pieces.map(([name]) => name)).toEqual(['a', 'tail'])
  })

  it('does not ask for ever more of what only looks like a member that goes on', async () => {
    const endless = Buffer.alloc(20_000_000, 1)
    Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]).copy(endless)
    const asked: number[] = []
    const meanwhile = (handle: FileHandle) => {
      const read = handle.read.bind(handle) as (...args: unknown[]) => Promise<unknown>
      vi.spyOn(handle, 'read').mockImplementation(((...args: unknown[]) => {
        asked.push(args[2] as number)
        return read(...args)
      }) as never)
    }
    const pieces = await walk(Buffer.concat([member('a'), endless, member('b')]), { meanwhile })
    expect(pieces.map(([name]) => name)).toEqual(['a', 'gap', 'b'])
    expect(Math.max(...asked)).toBeLessThanOrEqual(4 * 1024 * 1024)
  })

  // Each beginning goes on through a stored block, of which the next beginning is a part, to the end of them all.
  const unit = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 18, 0, 237, 255, ...Buffer.from('WARC/1.1')])
  const bomb = Buffer.concat([Buffer.alloc(unit.length * 100_000, unit), Buffer.alloc(20, 0xff)])

  it('calls nothing a tail, which would be cut, where it can not tell that nothing is whole in it', { timeout: 60_000 }, async () => {
    const names = (await walk(Buffer.concat([member('a'), Buffer.from('x'), bomb, member('b')]))).map(([name]) => name)
    expect(names.slice(0, 2)).toEqual(['a', 'gap'])
  })

  it('calls nothing a tail where one beginning goes on through the last record', async () => {
    const names = (await walk(Buffer.concat([member('a'), Buffer.from('x'), unit, unit, member('b')]))).map(([name]) => name)
    expect(names).toEqual(['a', 'gap', 'b'])
  })

  it('is done in seconds where a page is made of beginnings of records, each as long as the page', { timeout: 60_000 }, async () => {
    const before = performance.now()
    const pieces = await walk(Buffer.concat([member('a'), Buffer.from('x'), bomb, ...Array.from({ length: 20_000 }, () => member('b'))]))
    expect(performance.now() - before).toBeLessThan(20_000)
    expect(pieces.slice(0, 3).map(([name]) => name)).toEqual(['a', 'gap', 'b'])
  })
})

describe('the first record of a segment', () => {
  it('is null where it is not whole', async () => {
    for (const [content, block] of [
      [member('a'), 'a'],
      [member('a').subarray(0, -1), undefined],
      [Buffer.alloc(0), undefined],
    ] as const) {
      await writeFile(path, content)
      const handle = await open(path)
      expect((await firstRecord(handle))?.block.toString()).toBe(block)
      await handle.close()
    }
  })
})
