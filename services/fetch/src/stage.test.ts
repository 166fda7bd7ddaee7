import { type CaptureId, FetchedPage, FetchRequest } from '@copydesk/contracts'
import type { FetchResult, GetOptions } from '@copydesk/http'
import { RateLimitedError, type Log, type StageContext } from '@copydesk/pipeline'
import { describe, expect, it } from 'vitest'
import { type FetchDeps, fetchStage } from './stage.ts'

const PAGE: FetchedPage = {
  capture: {
    source: 'url',
    requestedUrl: 'https://example.org/a',
    url: 'https://example.org/b',
    chain: [{ url: 'https://example.org/a', status: 301 }],
    fetchedAt: '2026-11-23T00:00:00.000Z',
    status: 200,
    contentType: 'text/html',
    contentEncoding: [],
    robotsTag: null,
    etag: null,
    lastModified: null,
    cut: false,
    bytes: 3,
  },
  head: { status: 200, statusText: 'OK', headers: [['Content-Type', 'text/html']] },
  body: Buffer.from('abc'),
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

function context(get: FetchDeps['get']): StageContext<FetchDeps> {
  const captureId = '0190b5a0-0000-7000-8000-000000000000' as CaptureId
  return { deps: { get }, log: silent, signal: new AbortController().signal, captureId, rev: 0, run: 1, attempt: 1, wakes: 0 }
}

/** A web that gives this answer, and remembers what it was asked. */
function web(answer: FetchResult): { get: FetchDeps['get']; asked: { url: string; options: GetOptions }[] } {
  const asked: { url: string; options: GetOptions }[] = []
  return {
    asked,
    get: (url, options) => {
      asked.push({ url, options })
      return Promise.resolve(answer)
    },
  }
}

describe('the fetch stage', () => {
  it('hands over the page as it came', async () => {
    const { get, asked } = web({ kind: 'page', page: PAGE })
    const ctx = context(get)
    const result = await fetchStage.run({ url: 'https://example.org/a' }, ctx)
    expect(result).toEqual({ next: true, output: PAGE })
    expect(asked).toEqual([{ url: 'https://example.org/a', options: { signal: ctx.signal, resume: undefined } }])
  })

  it('copies the hints into the capture, and what it hands over is what it declares', async () => {
    const hints = { title: 'Peace', published: '2026-11-23' }
    const input = FetchRequest.parse({ v: 1, url: 'https://example.org/a', hints })
    const result = await fetchStage.run(input, context(web({ kind: 'page', page: PAGE }).get))
    expect(result).toEqual({ next: true, output: { ...PAGE, capture: { ...PAGE.capture, hints } } })
    expect(fetchStage.output.safeParse(result.next ? result.output : null).success).toBe(true)
    expect(PAGE.capture.hints).toBeUndefined()
  })

  it('ends as refused with code and evidence', async () => {
    const { get } = web({ kind: 'refused', code: 'gone', evidence: 'example.org answered with status 404' })
    expect(await fetchStage.run({ url: 'https://example.org/a' }, context(get))).toEqual({
      next: false,
      outcome: 'refused',
      code: 'gone',
      evidence: 'example.org answered with status 404',
    })
  })

  it('goes on where a rate limit stopped it, and from the start when that can’t be read', async () => {
    const { get, asked } = web({ kind: 'page', page: PAGE })
    const resume = { url: 'https://example.org/b', chain: PAGE.capture.chain }
    await fetchStage.run({ url: 'https://example.org/a', resume }, context(get))
    await fetchStage.run({ url: 'https://example.org/a', resume: { hop: 2 } }, context(get))
    expect(asked.map(({ options }) => options.resume)).toEqual([resume, undefined])
  })

  it('lets faults through as they are', async () => {
    const error = new RateLimitedError('rate-limited', 1000, 'example.org asks to wait 1 s (status 429)')
    await expect(
      fetchStage.run(
        { url: 'https://example.org/a' },
        context(() => Promise.reject(error)),
      ),
    ).rejects.toBe(error)
  })
})
