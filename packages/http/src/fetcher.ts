import type { FetchedPage, RefusalCode } from '@copydesk/contracts'
import { RateLimitedError, RetryableError } from '@copydesk/pipeline'
import { fetchUrl, UrlError } from '@copydesk/url'
import { Agent, type Dispatcher, request } from 'undici'
import { BlockedAddressError } from './blocked-address-error.ts'
import { fault } from './fault.ts'
import type { Guard } from './guard.ts'
import { contentEncoding, contentLength, type Head, header, joined, toHead } from './head.ts'
import { judgeAnswer, tooLarge } from './judge-answer.ts'
import { LIMITS, type Limits } from './limits.ts'
import type { HostSlots, Refusal, Resume, Robots } from './ports.ts'
import { discard, readBody } from './read-body.ts'

export interface FetcherOptions {
  guard: Guard
  /** The whole User-Agent (`userAgent`). */
  userAgent: string
  /** Sent as `From` where it is a mail address. */
  contact?: string
  limits?: Partial<Limits>
  /** Milliseconds since 1970. */
  clock?: () => number
  slots?: HostSlots
  robots?: Robots
}

export interface GetOptions {
  /** Aborted: the fetch ends at once and throws the signal's reason. */
  signal: AbortSignal
  /** What a RateLimitedError carried: goes on there instead of at the beginning. */
  resume?: Resume | undefined
  /** The Accept header; pages by default. */
  accept?: string
}

export type FetchResult = { kind: 'page'; page: FetchedPage } | ({ kind: 'refused' } & Refusal)

export interface Fetcher {
  /**
   * One guarded GET, redirects followed by hand: the page with its wire bytes as they came, or why it was refused.
   * Throws RetryableError (dns, connect, reset, timeout, server-error, cut-short, bad-response), PermanentError (tls, bad-response)
   * and RateLimitedError (rate-limited).
   */
  get: (url: string, options: GetOptions) => Promise<FetchResult>
  /** Ends what is still under way and closes every connection. */
  close: () => Promise<void>
}

const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5'

interface Answer {
  head: Head
  body: Dispatcher.ResponseData['body']
}

/** Makes the one way in which pages are fetched. It keeps connections: close it. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const { guard, clock = Date.now, slots, robots } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const agent = new Agent({
    connect: guard.connector(limits.connectMs),
    allowH2: false,
    pipelining: 1,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.idleMs,
  })

  /** Whether this hop may be asked now. */
  const admit = async (at: Resume, signal: AbortSignal): Promise<Refusal | null> => {
    const refusal = guard.checkUrl(at.url)
    if (refusal !== null) return refusal
    const { host } = new URL(at.url)
    if (robots !== undefined && !(await robots.allows(at.url, signal)))
      return { code: 'robots', evidence: `robots.txt of ${host} forbids it` }
    const wait = (await slots?.take(at.url)) ?? 0
    if (wait > 0) throw new RateLimitedError('rate-limited', wait, `${host} has its next turn in ${wait} ms`, { resume: at })
    return null
  }

  const ask = async (url: string, accept: string, signal: AbortSignal): Promise<Answer> => {
    const headers: Record<string, string> = { 'user-agent': options.userAgent, accept, 'accept-encoding': 'gzip, br, zstd, deflate' }
    if (options.contact?.includes('@') === true) headers.from = options.contact
    const {
      statusCode,
      statusText,
      headers: raw,
      body,
    } = await request(url, { dispatcher: agent, signal, headers, responseHeaders: 'raw' })
    // Typed as an object whatever was asked for.
    return { head: toHead(statusCode, statusText, raw as unknown as string[]), body }
  }

  const visit = async (requestedUrl: string, at: Resume, accept: string, signal: AbortSignal): Promise<FetchResult | Next> => {
    const refusal = await admit(at, signal)
    if (refusal !== null) return { kind: 'refused', ...refusal }
    const { head, body } = await ask(at.url, accept, signal)
    const now = clock()
    try {
      const judgement = judgeAnswer(head, at, limits, now)
      if (judgement.kind === 'refused') return judgement
      if (judgement.kind === 'redirect') return follow(at, head.status, judgement.to, limits)
      return await read(requestedUrl, at, { head, body }, now, limits)
    } finally {
      if (!body.readableEnded) discard(body)
    }
  }

  const get = async (url: string, { signal, resume, accept = ACCEPT }: GetOptions): Promise<FetchResult> => {
    const refusal = guard.checkUrl(url)
    if (refusal !== null) return { kind: 'refused', ...refusal }
    let at: Resume = resume ?? { url: fetchUrl(url), chain: [] }
    const total = AbortSignal.timeout(limits.totalMs)
    const either = AbortSignal.any([signal, total])
    try {
      for (;;) {
        const step = await visit(url, at, accept, either)
        if (step.kind !== 'next') return step
        at = step.at
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof BlockedAddressError) return { kind: 'refused', code: 'blocked-address', evidence: error.message }
      const { host } = new URL(at.url)
      if (total.aborted) throw new RetryableError('timeout', `${host} did not answer in full within ${limits.totalMs} ms`, { cause: error })
      throw fault(error, host)
    }
  }

  return { get, close: () => agent.destroy() }
}

interface Next {
  kind: 'next'
  at: Resume
}

/** The next hop, or why there is none. */
function follow(at: Resume, status: number, location: string, limits: Limits): Next | FetchResult {
  const { host } = new URL(at.url)
  const refused = (code: RefusalCode, evidence: string): FetchResult => ({ kind: 'refused', code, evidence: `${host} ${evidence}` })
  const chain = [...at.chain, { url: at.url, status }]
  const target = URL.parse(location, at.url)
  if (target === null) return refused('bad-url', 'redirects to what is no URL')
  try {
    const url = fetchUrl(target.href)
    // Nothing is remembered between hops, so the same address would answer the same again.
    if (chain.some((hop) => hop.url === url)) return refused('redirect-loop', 'redirects back to an address of the same chain')
    if (chain.length > limits.redirects) return refused('redirect-loop', `redirects once more after ${limits.redirects} times`)
    return { kind: 'next', at: { url, chain } }
  } catch (error) {
    if (error instanceof UrlError) return refused('bad-url', `redirects to a URL that is not fetched: ${error.message}`)
    throw error
  }
}

async function read(requestedUrl: string, at: Resume, { head, body }: Answer, now: number, limits: Limits): Promise<FetchResult> {
  const { host } = new URL(at.url)
  const encodings = contentEncoding(head)
  const got = await readBody(body, { host, expected: contentLength(head), plain: encodings.length === 0, limit: limits.bodyBytes })
  if (got === null) return { kind: 'refused', ...tooLarge(host, limits) }
  const capture: FetchedPage['capture'] = {
    source: 'url',
    requestedUrl,
    url: at.url,
    chain: at.chain,
    fetchedAt: new Date(now).toISOString(),
    status: head.status,
    contentType: header(head, 'content-type'),
    contentEncoding: encodings,
    robotsTag: joined(head, 'x-robots-tag'),
    etag: header(head, 'etag'),
    lastModified: header(head, 'last-modified'),
    cut: got.cut,
    bytes: got.bytes.length,
  }
  return { kind: 'page', page: { capture, head, body: got.bytes } }
}
