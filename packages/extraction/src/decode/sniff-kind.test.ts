import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { sniffKind } from './sniff-kind.ts'

const kindOf = (text: string, contentType: string | null = null): unknown => sniffKind(Buffer.from(text, 'latin1'), contentType)

test.each([
  ['<!DOCTYPE html><p>', null, 'html'],
  ['\n  <!-- saved --> <html>', 'application/octet-stream', 'html'],
  ['<p>A fragment', null, 'html'],
  ['<?xml version="1.0"?><html xmlns="x">', 'text/xml', 'html'],
  ['no tag', 'text/html; charset=utf-8', 'html'],
  ['<!doctype html><title>x', 'text/plain', 'html'],
  ['A headline\n\nA <b>paragraph', null, 'text'],
  ['<p> as text', 'text/plain', 'text'],
  ['<3 this', null, 'text'],
])('%j as %s is read as %s', (text, contentType, kind) => {
  expect(kindOf(text, contentType)).toEqual({ kind })
})

test.each([
  ['%PDF-1.7', null, /a PDF/],
  ['\x89PNG\r\n', 'text/html', /PNG/],
  ['PK\x03\x04', 'text/plain', /zip/],
  [randomBytes(4000).toString('latin1').replace(/^./s, 'x'), null, /binary/],
  ['{"a":1}', 'application/json', /application\/json/],
  ['<rss><channel>', 'application/rss+xml', /rss/],
  ['<feed>', 'text/xml', /text\/xml/],
])('%j as %s is refused', (text, contentType, evidence) => {
  expect(kindOf(text.slice(0, 4000), contentType)).toMatchObject({
    refused: { code: 'unsupported-type', evidence: expect.stringMatching(evidence) },
  })
})

test('many comments before the first tag take no time', () => {
  const before = performance.now()
  expect(kindOf('<!---->'.repeat(300))).toEqual({ kind: 'text' })
  expect(performance.now() - before).toBeLessThan(200)
})

test('UTF-16 is text, with a mark or by its label', () => {
  expect(sniffKind(Buffer.from('\ufeffA headline', 'utf16le'), null)).toEqual({ kind: 'text' })
  expect(sniffKind(Buffer.from('A headline', 'utf16le'), 'text/plain; charset=utf-16le')).toEqual({ kind: 'text' })
})
