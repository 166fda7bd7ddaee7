import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { undoEncodings } from './undo-encodings.ts'

const page = Buffer.from(
  `<html>${Array.from({ length: 20_000 }, (_, at) => `<p>Paragraph ${at}, ${(at * 7919) % 1000} words</p>`).join('')}</html>`,
)
const pack: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: zlib.gzipSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
  deflate: zlib.deflateSync,
}

describe.each(Object.keys(pack))('%s', (label) => {
  const packed = pack[label]?.(page) ?? page

  test('is undone', () => {
    expect(undoEncodings(packed, [label])).toEqual({ bytes: page, cut: false })
  })

  test('cut short gives the part that can be read, flagged', () => {
    const undone = undoEncodings(packed.subarray(0, packed.length * 0.9), [label])
    if ('refused' in undone) throw new Error(undone.refused.evidence)
    expect(undone.cut).toBe(true)
    expect(undone.bytes.length).toBeGreaterThan(page.length / 2)
    expect(page.subarray(0, undone.bytes.length).equals(undone.bytes)).toBe(true)
  })

  test('a bomb is refused before it has grown', () => {
    const bomb = pack[label]?.(Buffer.alloc(64 * 1024 * 1024)) ?? page
    expect(undoEncodings(bomb, [label])).toMatchObject({ refused: { code: 'too-large' } })
  })

  test('a plain body labelled so is taken as it is', () => {
    expect(undoEncodings(page, [label])).toEqual({ bytes: page, cut: false })
  })

  test('bytes that are neither are refused', () => {
    expect(undoEncodings(Buffer.from([0xff, 0, 1, 2, 0xff, 0, 1, 2]), [label])).toMatchObject({ refused: {} })
  })
})

test('encodings are undone in the reverse of their order, two at most', () => {
  const both = zlib.brotliCompressSync(zlib.gzipSync(page))
  expect(undoEncodings(both, ['gzip', 'identity', 'BR'])).toEqual({ bytes: page, cut: false })
  expect(undoEncodings(both, ['gzip', 'gzip', 'br'])).toMatchObject({ refused: { code: 'unsupported-type' } })
})

test('a deflate body without its zlib header is read', () => {
  expect(undoEncodings(zlib.deflateRawSync(page), ['deflate'])).toEqual({ bytes: page, cut: false })
})

test('a plain text that brotli takes for the beginning of a stream is taken as it is', () => {
  for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') {
    const text = Buffer.from(`${letter}n old bridge is closed to cars from the first of May.`)
    expect(undoEncodings(text, ['br'])).toEqual({ bytes: text, cut: false })
  }
})

test('a gzip body labelled br is known by its first bytes', () => {
  expect(undoEncodings(zlib.gzipSync(page), ['br'])).toEqual({ bytes: page, cut: false })
})

test('bytes after the end of a gzip body are ignored', () => {
  expect(undoEncodings(Buffer.concat([zlib.gzipSync(page), Buffer.from('junk')]), ['gzip'])).toEqual({ bytes: page, cut: false })
})

test('growing past 200 times is refused only after the first MiB', () => {
  expect(undoEncodings(zlib.gzipSync(Buffer.alloc(900_000)), ['gzip'])).toMatchObject({ cut: false })
  expect(undoEncodings(zlib.gzipSync(Buffer.alloc(1_200_000)), ['gzip'])).toMatchObject({ refused: { code: 'too-large' } })
})

test('a plain body over the limit is refused too, and an unknown encoding is named', () => {
  expect(undoEncodings(Buffer.alloc(21 * 1024 * 1024), [])).toMatchObject({ refused: { code: 'too-large' } })
  expect(undoEncodings(Buffer.from([0, 1, 2]), ['sdch'])).toMatchObject({ refused: { evidence: expect.stringMatching(/sdch/) } })
})

test('a zstd body that asks for a window of more than 8 MiB is refused, however small it is', () => {
  // RFC 8878: magic, a frame header without a size, a window of 2^(10 + exponent), one raw block of five bytes.
  const frame = (exponent: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 0x29, 0, 0, ...Buffer.from('hello')])
  expect(undoEncodings(frame(13), ['zstd'])).toMatchObject({ cut: false })
  for (const exponent of [14, 17]) expect(undoEncodings(frame(exponent), ['zstd'])).toMatchObject({ refused: {} })
})
