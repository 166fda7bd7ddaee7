import { describe, expect, it } from 'vitest'
import { formatRecord, parseRecord, sha1Digest } from './warc-record.ts'

describe('a WARC record', () => {
  it('reads back with its fields, its digest and its block', () => {
    const block = Buffer.from('{"a":1}\r\n\r\nrest')
    const record = parseRecord(formatRecord('conversion', { 'WARC-Target-URI': 'urn:x' }, block))
    expect(record?.block).toEqual(block)
    expect(Object.fromEntries(record!.fields)).toMatchObject({
      'warc-type': 'conversion',
      'warc-target-uri': 'urn:x',
      'content-length': String(block.length),
      'warc-block-digest': sha1Digest(block),
    })
  })

  it('has the digest that the world knows of nothing', () => {
    expect(sha1Digest(Buffer.alloc(0))).toBe('sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ')
  })

  it('keeps a value with line breaks on its line', () => {
    const record = parseRecord(formatRecord('resource', { 'Content-Type': 'text/html\r\nContent-Length: 0\r\n\r\nx' }, Buffer.from('body')))
    expect(record?.fields.get('content-type')).toBe('text/html Content-Length: 0 x')
    expect(record?.block.toString()).toBe('body')
  })

  it.each([
    '',
    'HTTP/1.1 200 OK\r\n\r\n',
    'WARC/1.1\r\nContent-Length: 9\r\n\r\nshort',
    'WARC/1.1\r\nContent-Length: -1\r\n\r\n',
    'WARC/1.1\r\n\r\nx',
  ])('is none in %j', (text) => {
    expect(parseRecord(Buffer.from(text))).toBeNull()
  })
})
