import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Capture, CaptureId, type EndRecord, type FetchedPage, type IntakeRecord, type RecordStamp } from '@copydesk/contracts'
import type { Log } from '@copydesk/pipeline'
import { v7 } from 'uuid'

/** What the tests beside this file keep and read. */

export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'copydesk-archive-'))
}

export const silent: Log = { debug: noop, info: noop, warn: noop, error: noop, child: () => silent }

function noop(): void {}

export function newStamp(changes: Partial<RecordStamp> = {}): RecordStamp {
  return { v: 1, captureId: CaptureId.parse(v7()), rev: 0, run: 1, ...changes }
}

export function fetchedPage(text: string, changes: Partial<Capture> = {}): FetchedPage {
  const body = Buffer.from(text)
  return {
    capture: {
      source: 'url',
      requestedUrl: 'https://news.example/a',
      url: 'https://news.example/a?b=1',
      chain: [{ url: 'https://news.example/a', status: 301 }],
      fetchedAt: '2026-11-20T10:00:00.000Z',
      status: 200,
      contentType: 'text/html; charset=utf-8',
      contentEncoding: [],
      robotsTag: null,
      etag: '"1"',
      lastModified: null,
      cut: false,
      bytes: body.length,
      ...changes,
    },
    head: {
      status: 200,
      statusText: 'OK',
      headers: [
        ['Content-Type', 'text/html; charset=utf-8'],
        ['Transfer-Encoding', 'chunked'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    },
    body,
  }
}

export function bytesInHand(text: string): FetchedPage {
  return {
    ...fetchedPage(text, { source: 'bytes', requestedUrl: null, url: null, chain: [], status: null, contentType: null }),
    head: null,
  }
}

export function intakeRecord(at: string, source = 'api'): IntakeRecord {
  return { v: 1, at, source, items: [{ captureId: CaptureId.parse(v7()), url: 'https://news.example/a', ref: null, key: 'k' }] }
}

export function endRecord(stamp: RecordStamp, changes: Partial<EndRecord> = {}): EndRecord {
  return { ...stamp, kind: 'end', at: '2026-11-20T10:00:01.000Z', stage: 'index', outcome: 'indexed', ...changes }
}
