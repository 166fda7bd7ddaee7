import type { ArticleId } from '@copydesk/contracts'
import { type Log, PermanentError, RateLimitedError } from '@copydesk/pipeline'
import type { Client } from '@elastic/elasticsearch'
import { type BatchItem, createBatcher } from './batcher.ts'
import { sendBulk, type Write, type WriteResult } from './bulk.ts'
import { type Decision, decide, type IndexOutcome } from './decide.ts'
import { buildDocument, type IncomingArticle } from './document.ts'
import { requestFault, searchUnavailable } from './faults.ts'
import { createHomeFinder, type HomeStore } from './homes.ts'
import { look } from './look.ts'
import { createNames, monthOf, type SearchNames } from './names.ts'
import { ensurePartition } from './setup.ts'

export interface ArticleIndex {
  /** Decides on an article and writes it. Throws PermanentError `search-rejected` where Elasticsearch refuses this document, RateLimitedError `search-unavailable` for whatever is not its fault, or the signal's reason. */
  index(incoming: IncomingArticle, signal: AbortSignal): Promise<Indexed>
  /** Works off what waits and takes nothing more. */
  close(): Promise<void>
}

export interface Indexed {
  outcome: IndexOutcome
  code?: 'retracted'
}

export interface ArticleIndexOptions {
  client: Client
  homes: HomeStore
  log: Log
  names?: SearchNames
  /** The time, in milliseconds. */
  now?: () => number
}

/** How large a batch grows, and how long an article waits for others. */
const LIMITS = { maxItems: 200, maxBytes: 5_000_000, lingerMs: 500, quietMs: 50, maxInFlight: 2 }
/** A document over this is refused here: Elasticsearch would not say no to it, but cut the connection or ask for patience (measured), for ever. */
const MAX_DOCUMENT_BYTES = 20_000_000
/** Looks per article before it is put back: each is needed only where another process wrote it in between. */
const ROUNDS = 5

type Item = BatchItem<IncomingArticle, Indexed>

/** The bulk writer. Articles that come at about the same time share their look and their write; those of one article follow each other. */
export function createArticleIndex({ client, homes, log, names = createNames(), now = Date.now }: ArticleIndexOptions): ArticleIndex {
  const finder = createHomeFinder(client, names, homes)

  async function work(batch: Item[]): Promise<void> {
    let left = batch
    try {
      for (let round = 0; left.length > 0 && round < ROUNDS; round += 1) left = await decideAndWrite(left)
      for (const item of left) item.reject(searchUnavailable({ status: 409, type: 'others write the article all the time' }))
    } catch (error) {
      // Settled items don't mind a second settling.
      const unavailable = error instanceof RateLimitedError ? error : searchUnavailable(requestFault(error))
      for (const item of left) item.reject(unavailable)
    }
  }

  /** One round; the items to be looked at again come back. */
  async function decideAndWrite(items: Item[]): Promise<Item[]> {
    const found = await finder.find(new Map(items.map(({ input }) => [idOf(input), monthOf(input.fetchedAt)])))
    const looks = await look(client, names, found)
    const writes: { item: Item; decision: Decision; write: Write }[] = []
    for (const item of items) {
      const articleId = idOf(item.input)
      const { stored, version } = looks.get(articleId)!
      const decision = decide(stored, item.input)
      const { write, ...indexed } = decision
      if (!write) item.resolve(indexed)
      else {
        const document = buildDocument(item.input, stored, now())
        writes.push({ item, decision, write: { articleId, alias: names.write(found.get(articleId)!), version: version + 1, document } })
      }
    }
    if (writes.length === 0) return []
    const results = await sendBulk(
      client,
      writes.map(({ write }) => write),
    )
    const again: Item[] = []
    const months: string[] = []
    for (const [at, { item, decision }] of writes.entries()) {
      const result = results[at]!
      if (settle(item, decision.outcome, result)) continue
      again.push(item)
      if (result.state === 'no-partition') months.push(found.get(idOf(item.input))!)
    }
    await mendPartitions(months)
    return again
  }

  /** Partitions vanish when Elasticsearch is emptied under a running worker. */
  async function mendPartitions(months: string[]): Promise<void> {
    for (const month of new Set(months)) {
      await ensurePartition(client, month, names)
      log.info({ month }, 'partition made')
    }
  }

  const batcher = createBatcher<IncomingArticle, Indexed>({ keyOf: idOf, bytesOf, work, ...LIMITS })

  async function index(incoming: IncomingArticle, signal: AbortSignal): Promise<Indexed> {
    const bytes = bytesOf(incoming)
    if (bytes > MAX_DOCUMENT_BYTES) {
      const message = `the document comes to about ${bytes} bytes, over the ${MAX_DOCUMENT_BYTES} that are indexed: the article must be shorter`
      throw new PermanentError('search-rejected', message)
    }
    return batcher.add(incoming, signal)
  }

  return { index, close: () => batcher.close() }
}

function settle(item: Item, outcome: IndexOutcome, result: WriteResult): boolean {
  switch (result.state) {
    case 'written':
      item.resolve({ outcome })
      return true
    case 'rejected': {
      const { status, type } = result.fault
      item.reject(new PermanentError('search-rejected', `Elasticsearch refuses the document (${status} ${type}): the article must change`))
      return true
    }
    case 'unavailable':
      item.reject(searchUnavailable(result.fault))
      return true
    case 'conflict':
    case 'no-partition':
      return false
  }
}

function idOf({ article }: IncomingArticle): ArticleId {
  return article.articleId
}

/** About what the document's JSON comes to: the text twice (its blocks hold it again), and the rest. */
function bytesOf({ article }: IncomingArticle): number {
  return 2_000 + 2 * Buffer.byteLength(article.text) + Buffer.byteLength(article.html ?? '')
}
