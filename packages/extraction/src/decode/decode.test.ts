import { expect, test } from 'vitest'
import { decode } from './decode.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

test('HTML is decoded by mark, then header, then declaration, then what the bytes are', () => {
  const bom = Buffer.from('\ufeff<meta charset=latin1>é')
  expect(decode(bom, { kind: 'html', contentType: 'text/html; charset=koi8-r' })).toMatchObject({
    encoding: 'utf-8',
    source: 'bom',
    text: '<meta charset=latin1>é',
  })
  expect(decode(latin1('<meta charset=utf-8>é'), { kind: 'html', contentType: 'text/html; charset="ISO-8859-1"' })).toMatchObject({
    encoding: 'windows-1252',
    source: 'transport',
    text: '<meta charset=utf-8>é',
  })
  expect(decode(latin1(`<!--${' '.repeat(8000)}--><meta charset=latin1>é\x80`), { kind: 'html' })).toMatchObject({
    encoding: 'windows-1252',
    source: 'declaration',
    text: expect.stringMatching(/é€$/),
  })
  expect(decode(Buffer.from('<p>é'), { kind: 'html' })).toMatchObject({ encoding: 'utf-8', source: 'detected' })
  expect(decode(latin1('<p>é'), { kind: 'html' })).toMatchObject({ encoding: 'windows-1252', source: 'default', text: '<p>é' })
})

test('plain text is UTF-8 where its bytes are, whatever the header says', () => {
  expect(decode(Buffer.from('café'), { kind: 'text', contentType: 'text/plain; charset=iso-8859-1' })).toMatchObject({
    text: 'café',
    encoding: 'utf-8',
  })
  expect(decode(latin1('café'), { kind: 'text', contentType: 'text/plain; charset=utf-8' }).source).toBe('transport')
  expect(decode(latin1('café'), { kind: 'text' })).toMatchObject({ text: 'café', encoding: 'windows-1252' })
})

test('XML is decoded by its declaration', () => {
  expect(decode(latin1('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'), { kind: 'xml' })).toMatchObject({
    encoding: 'windows-1252',
    source: 'declaration',
  })
})

test('UTF-16 with its mark is read, NUL goes, and line ends of text are LF', () => {
  expect(decode(Buffer.from('\ufeffa\r\nb\rc', 'utf16le'), { kind: 'text' })).toMatchObject({ text: 'a\nb\nc', encoding: 'utf-16le' })
  expect(decode(Buffer.from('a\0b'), { kind: 'html' }).text).toBe('ab')
})

test('an unknown charset is as good as none', () => {
  expect(decode(Buffer.from('é'), { kind: 'html', contentType: 'text/html; charset=nonsense' }).source).toBe('detected')
})
