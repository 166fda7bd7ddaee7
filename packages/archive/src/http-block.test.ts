import { describe, expect, it } from 'vitest'
import { formatHttp, parseHttp } from './http-block.ts'

const body = Buffer.from([0, 1, 13, 10, 13, 10, 255])

describe('an HTTP answer in the archive', () => {
  it('comes back with every header as it came, doubled ones and Latin-1 too', () => {
    const headers: [string, string][] = [
      ['Content-Type', 'text/html'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Place', 'Zürich'],
      ['X-Empty', ''],
    ]
    const head = { status: 203, statusText: 'Non-Authoritative Information', headers }
    expect(parseHttp(formatHttp(head, body))).toEqual({ head, body })
  })

  it('lies there without the name transfer-encoding, since its chunks are gone', () => {
    const head = { status: 200, statusText: '', headers: [['Transfer-Encoding', 'chunked']] as [string, string][] }
    const block = formatHttp(head, body)
    expect(block.toString('latin1')).toContain('\r\nx-archive-orig-transfer-encoding: chunked\r\n')
    expect(parseHttp(block)?.head.headers).toEqual([['transfer-encoding', 'chunked']])
  })

  it('keeps a header with line breaks on its line', () => {
    const head = { status: 200, statusText: 'OK\r\nX: y', headers: [['A', 'b\r\n\r\nc']] as [string, string][] }
    expect(parseHttp(formatHttp(head, body))).toEqual({ head: { status: 200, statusText: 'OK X: y', headers: [['A', 'b c']] }, body })
  })

  it('is none in bytes without a head', () => {
    expect(parseHttp(Buffer.from('no head'))).toBeNull()
    expect(parseHttp(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBeNull()
  })
})
