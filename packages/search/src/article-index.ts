import type { ArticleId } from '@copydesk/contracts'
import { everySoOften, type Log, PermanentError, RateLimitedError } from '@copydesk/pipeline'
import type { Client } from '@elastic/elasticsearch'
import { createBatcher } from './batcher.ts'
import type { CircuitInUse } from './circuit.ts'
import type { IncomingArticle } from './document.ts'
import { CONTENDED, explain, type Fault, isSearchFault, requestFault, searchUnavailable, SLOW } from './faults.ts'
import { createHomeFinder, type HomeStore } from './homes.ts'
import { createNames, type SearchNames } from './names.ts'
import { type GoesOn, pause } from './patience.ts'
import { createRound, type Left } from './round.ts'
import type { Indexed, Item } from './settle.ts'

export interface ArticleIndex {
  /** Decides on an article and writes it. Throws PermanentError `search-rejected` where Elasticsearch refuses this document, RetryableError `search-rejected` where it fails at this one, RateLimitedError `search-unavailable` for whatever is not its fault, or the signal's reason. */
  index(incoming: IncomingArticle, signal: AbortSignal): Promise<Indexed>
  /** Works off what waits and takes nothing more. */
  close(): Promise<void>
}

export interface ArticleIndexOptions {
  client: Client
  homes: HomeStore
  log: Log
  names?: SearchNames
  /** While it is open, everything that waits or comes is refused. Without one, each batch is tried. */
  circuit?: CircuitInUse
  /** The time, in milliseconds. */
  now?: () => number
  /** How long an article may take before it is put back, in milliseconds: well within a job's deadline, which would spend an attempt. */
  patienceMs?: number
}

/** How large a batch grows, and how long an article waits for others. */
const LIMITS = { maxItems: 200, maxBytes: 5_000_000, lingerMs: 500, quietMs: 50, maxInFlight: 2 }
/** A document over this is refused here: Elasticsearch would not say no to it, but cut the connection or ask for patience (measured), for ever. */
const MAX_DOCUMENT_BYTES = 20_000_000
/** Looks per article before it is put back: a further one is needed only where another process wrote it in between, or an answer was lost. */
const ROUNDS = 5
/** So that what was refused together doesn't come back together. */
const SPREAD_MS = 500

/** The bulk writer. Articles that come at about the same time share their look and their write; those of one article follow each other. */
export function createArticleIndex(options: ArticleIndexOptions): ArticleIndex {
  const { client, homes, log, names = createNames(), circuit, now = Date.now, patienceMs = 60_000 } = options
  let closing = false
  /** Whether a failed request may be sent again in this process. */
  const goesOn: GoesOn = (fault) => {
    if (fault) tell(fault)
    return !closing && circuit?.flows() !== false
  }
  // A server that falters does so often.
  const tell = everySoOften(5000, (fault: Fault) =>
    log.warn({ reason: explain(fault) }, 'Elasticsearch refused some of it: that is sent again'),
  )
  const finder = createHomeFinder(client, names, homes, goesOn)
  const decideAndWrite = createRound({ client, names, log, now, goesOn, finder, unavailable, circuit })

  async function work(batch: Item[]): Promise<void> {
    let left: Left = { items: batch, fault: null }
    try {
      for (let round = 0; left.items.length > 0 && round < ROUNDS; round += 1) {
        if (left.fault !== null) await pause(round - 1)
        if (round > 0 && !goesOn(left.fault ?? undefined)) break
        left = await decideAndWrite(left.items)
      }
      if (left.fault !== null) circuit?.failed(left.fault)
      for (const item of left.items) item.reject(unavailable(left.fault ?? { status: 409, type: CONTENDED }))
    } catch (error) {
      const fault = isSearchFault(error) ? requestFault(error) : null
      if (fault !== null) circuit?.failed(fault)
      // Settled items don't mind a second settling.
      for (const item of left.items) item.reject(fault === null ? error : unavailable(fault))
    }
  }

  /** Put back, until the circuit asks again where it is open. */
  function unavailable(fault: Fault): RateLimitedError {
    const ms = circuit?.waitMs() ?? 0
    return ms === 0 ? searchUnavailable(fault) : searchUnavailable(fault, ms + Math.random() * SPREAD_MS)
  }

  /** Refused without being tried: what the circuit waits for is the reason. */
  function refusal(): RateLimitedError {
    const ms = (circuit?.waitMs() ?? 0) + Math.random() * SPREAD_MS
    return new RateLimitedError('search-unavailable', ms, circuit?.reason() ?? 'Elasticsearch is not used now: it was away')
  }

  const batcher = createBatcher<IncomingArticle, Indexed>({ keyOf: idOf, bytesOf, work, ...LIMITS })
  circuit?.onChange((flows) => {
    if (!flows) batcher.refuse(refusal)
  })

  async function index(incoming: IncomingArticle, signal: AbortSignal): Promise<Indexed> {
    const bytes = bytesOf(incoming)
    if (bytes > MAX_DOCUMENT_BYTES) {
      const message = `the document comes to about ${bytes} bytes, over the ${MAX_DOCUMENT_BYTES} that are indexed: the article must be shorter`
      throw new PermanentError('search-rejected', message)
    }
    if (circuit?.flows() === false) throw refusal()
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(unavailable({ status: 0, type: SLOW })), patienceMs)
    try {
      return await batcher.add(incoming, AbortSignal.any([signal, patience.signal]))
    } finally {
      clearTimeout(timer)
    }
  }

  async function close(): Promise<void> {
    closing = true
    await batcher.close()
  }

  return { index, close }
}

function idOf({ article }: IncomingArticle): ArticleId {
  return article.articleId
}

/** About what the document's JSON comes to: the text twice (its blocks hold it again), and the rest. */
function bytesOf({ article }: IncomingArticle): number {
  return 2_000 + 2 * Buffer.byteLength(article.text) + Buffer.byteLength(article.html ?? '')
}
