import { Hints, IngestItem, IngestRequest, type IngestResult, MAX_PAGE_BYTES, MAX_URL_LENGTH, type Problem } from '@copydesk/contracts'
import { type IntakeRequest, type Taken, UndecidedError } from '@copydesk/queue'
import { fetchUrl, hideUserinfo, UrlError } from '@copydesk/url'
import type { FastifyInstance } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { problem, ProblemError, undecidedProblem } from '../problem.ts'
import { fieldProblem, read } from '../read.ts'

export interface IngestDeps {
  /** Takes work in, in order. */
  take(requests: IntakeRequest[]): Promise<Taken[]>
  /** Why an address must not be fetched, in words; null where it may. */
  refuses(url: string): string | null
  /** What these bytes are, where they can be no page (an image, say); null where they may. */
  binary(bytes: Uint8Array): string | null
}

const tags = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat().flatMap((each) => each.split(',')))
const BodyQuery = Hints.extend({
  url: z.string().max(MAX_URL_LENGTH).optional(),
  tags: tags.pipe(z.array(z.string()).max(20)).optional(),
}).strict()

/** `POST /api/v1/ingest`: JSON items, or one raw body with its address and hints as query parameters. */
export function addIngestRoutes(app: FastifyInstance, deps: IngestDeps): void {
  // Everything but JSON is a page's bytes, text too.
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_PAGE_BYTES }, (_request, body, done) => done(null, body))

  // A limit of the route's own would hold for pages too.
  app.post('/api/v1/ingest', async (request, reply) => {
    const results = Buffer.isBuffer(request.body)
      ? await takeBody(deps, request.body, request.headers, request.query)
      : await takeItems(deps, request.body)
    reply.code(202)
    return { results }
  })
}

async function takeItems(deps: IngestDeps, body: unknown): Promise<IngestResult[]> {
  const { items } = read(IngestRequest, body)
  const checked = items.map((item, at) => checkItem(deps, item, `/items/${at}`))
  const good = checked.flatMap((each) => (each.request ? [each.request] : []))
  if (good.length === 0) {
    const results = checked.map(({ url, fault }) => ({ url, problem: fault }))
    throw new ProblemError(checked[0]?.fault ?? problem(400, 'bad-field', 'no items'), { extra: { results } })
  }
  try {
    return resultsOf(checked, await deps.take(good))
  } catch (error) {
    if (!(error instanceof UndecidedError)) throw error
    const { problem: undecided, extra, retryAfter } = undecidedProblem(error)
    const results = resultsOf(
      checked,
      error.captureIds.map((captureId) => ({ captureId })),
    )
    throw new ProblemError(undecided, { extra: { ...extra, results }, ...(retryAfter !== undefined && { retryAfter }), cause: error })
  }
}

/** One result for each item, in order; `taken` are those of the good ones. */
function resultsOf(checked: Checked[], taken: Taken[]): IngestResult[] {
  const rest = taken.values()
  return checked.map(({ url, fault }) => {
    const capture = fault ? undefined : rest.next().value
    return capture ? { url, ...capture } : { url, problem: fault as Problem }
  })
}

type Checked = { url: string | null; request: IntakeRequest; fault?: never } | { url: string | null; request?: never; fault: Problem }

function checkItem(deps: IngestDeps, item: unknown, pointer: string): Checked {
  const parsed = IngestItem.strict().safeParse(item)
  const url = urlIn(item)
  if (!parsed.success) return { url, fault: fieldProblem(parsed.error, pointer) }
  const { url: given, ...hints } = parsed.data
  const address = checkUrl(deps, given, `${pointer}/url`)
  if (typeof address !== 'string') return { url, fault: address }
  return { url, request: { url: address, ...(Object.keys(hints).length > 0 && { hints }) } }
}

function urlIn(item: unknown): string | null {
  return typeof item === 'object' && item !== null && 'url' in item && typeof item.url === 'string'
    ? hideUserinfo(item.url.slice(0, MAX_URL_LENGTH))
    : null
}

/** The address to fetch, or why it is none. */
function checkUrl(deps: Pick<IngestDeps, 'refuses'>, given: string, pointer: string): string | Problem {
  try {
    const url = fetchUrl(given)
    const refusal = deps.refuses(url)
    return refusal === null ? url : problem(422, 'blocked-address', refusal, pointer)
  } catch (error) {
    if (error instanceof UrlError) return problem(400, error.code, error.message, pointer)
    throw error
  }
}

async function takeBody(deps: IngestDeps, body: Buffer, headers: IncomingHttpHeaders, query: unknown): Promise<IngestResult[]> {
  const contentType = headers['content-type'] ?? null
  const { url: given, ...hints } = read(BodyQuery, query)
  if (body.length === 0) throw new ProblemError(problem(400, 'empty', 'the body is empty: there is nothing to take in', ''))
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw new ProblemError(problem(415, 'encoded-body', `the body is encoded (${encoding}): send the page's bytes as they are`, ''))
  if (contentType !== null && /json/i.test(contentType))
    throw new ProblemError(problem(415, 'unsupported-type', 'items are taken as application/json, pages as text/html or text/plain', ''))
  const binary = deps.binary(body)
  if (binary !== null) throw new ProblemError(problem(415, 'unsupported-type', `the body is ${binary}, not HTML or text`, ''))
  // An address of bytes in hand is never fetched, so which network it lies in does not matter.
  const address = given === undefined ? null : checkUrl({ refuses: () => null }, given, '/url')
  if (address !== null && typeof address !== 'string') throw new ProblemError(address)
  const request = { url: address, bytes: { body, contentType: mediaType(contentType) }, ...(Object.keys(hints).length > 0 && { hints }) }
  const [capture] = await deps.take([request])
  if (!capture) throw new Error('intake answered nothing')
  return [{ url: address, ...capture }]
}

/** `application/octet-stream` says nothing: the bytes are looked at instead. */
function mediaType(contentType: string | null): string | null {
  return contentType === null || contentType.startsWith('application/octet-stream') ? null : contentType
}
