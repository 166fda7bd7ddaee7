import { gzipSync } from 'node:zlib'
import type { Capture } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { cleanPage } from './clean-page.ts'

const page = `<html><body><article><h1>Ferry</h1>${Array.from({ length: 400 }, (_, at) => `<p>On day ${at * 7} the ferry to the island ran ${at} times, and nobody was left on the quay.</p>`).join('')}</article></body></html>`

function read(body: Uint8Array, given: Partial<Capture> = {}): ReturnType<typeof cleanPage> {
  const none = { requestedUrl: null, url: null, status: null, contentType: null, robotsTag: null, etag: null, lastModified: null }
  return cleanPage({
    capture: {
      source: 'bytes',
      chain: [],
      fetchedAt: '2026-03-20T12:00:00.000Z',
      contentEncoding: [],
      cut: false,
      bytes: body.length,
      ...none,
      ...given,
    },
    body,
  })
}

test('encoded bytes are undone, and the hash is over the bytes as given', () => {
  const packed = read(gzipSync(page), { contentEncoding: ['gzip'] })
  const plain = read(Buffer.from(page))
  if ('refused' in packed || 'refused' in plain) throw new Error('refused')
  expect(packed.page.blocks).toEqual(plain.page.blocks)
  expect(packed.page.bytesHash).not.toBe(plain.page.bytesHash)
  expect(packed.page.cut).toBe(false)
})

test('a truncated gzip body is refused, unless fetch has judged it worth keeping or the page is whole', () => {
  const truncated = gzipSync(page).subarray(0, -1000)
  expect(read(truncated, { contentEncoding: ['gzip'] })).toMatchObject({
    refused: { code: 'truncated', evidence: expect.stringMatching(/ends early/) },
  })
  expect(read(truncated, { contentEncoding: ['gzip'], cut: true })).toMatchObject({ page: { cut: true } })
  expect(read(gzipSync(page).subarray(0, -8), { contentEncoding: ['gzip'] })).toMatchObject({ page: { cut: true } })
})

test('what fetch says of a body that ended early is carried on', () => {
  expect(read(Buffer.from(page), { cut: true })).toMatchObject({ page: { cut: true } })
  expect(read(Buffer.from(page))).toMatchObject({ page: { cut: false } })
})

test('bad bytes get an answer each', () => {
  expect(read(Buffer.alloc(0))).toEqual({ refused: { code: 'empty', evidence: 'there are no bytes' } })
  expect(read(gzipSync(Buffer.alloc(30_000_000)), { contentEncoding: ['gzip'] })).toMatchObject({ refused: { code: 'too-large' } })
  expect(read(Buffer.from('%PDF-1.7 ...'))).toMatchObject({ refused: { code: 'unsupported-type' } })
})
