import { setTimeout as sleep } from 'node:timers/promises'
import type { ArticleId } from '@copydesk/contracts'
import { type Log, PermanentError, RateLimitedError, RetryableError } from '@copydesk/pipeline'
import type { Client } from '@elastic/elasticsearch'
import { createArticleIndex } from './article-index.ts'
import type { IncomingArticle } from './document.ts'
import { isSearchFault, requestFault, searchUnavailable } from './faults.ts'
import { type HomeStore, remembered } from './homes.ts'
import { judge } from './judge.ts'
import { look } from './look.ts'
import { createNames, type Homes, type SearchNames } from './names.ts'
import { patiently } from './patience.ts'
import { createHomeSearch } from './search-homes.ts'

export interface Auditor {
  /**
   * Compares article records with what is stored. They must come in the order of captures, and only those whose end is `indexed`,
   * `unchanged` or not known: what ended otherwise would be written here too. Waits for an Elasticsearch or Redis that is away, some
   * minutes; then throws RateLimitedError `search-unavailable`, and the same records may be given again.
   */
  audit(batch: readonly IncomingArticle[], options: AuditOptions): Promise<AuditReport>
  /** Waits no more, and works off what is under way. */
  close(): Promise<void>
}

export interface AuditOptions {
  /** Whether what is missing or old is written. Without it nothing is. */
  repair: boolean
  /** Refreshes first, as the first call always does: where partitions were put back or swapped since. */
  refresh?: boolean
}

export interface AuditReport {
  /** Records that were compared. */
  checked: number
  /** Articles of which nothing is stored. Without repair, those of several batches are named in each. */
  missing: ArticleId[]
  /** Articles of which something older is stored. */
  old: ArticleId[]
  /** Articles written. */
  repaired: number
  /** Records that are no better than what is stored. */
  kept: number
  /** Articles that Elasticsearch refused, or under whose id something foreign is stored. The log has the reasons. */
  rejected: ArticleId[]
}

export interface AuditorOptions {
  client: Client
  /** Of the auditor's own: what it says about a changed server must be heard by nobody else. */
  homes: HomeStore
  log: Log
  names?: SearchNames
  /** The time, in milliseconds. */
  now?: () => number
}

/** Tries of one question, 2 to 10 s apart. */
const MOST_TRIES = 30

/** Holds the archive's article records against Elasticsearch, by the very decision and the very writes of the index stage: it may run while that works, and while another auditor does. */
export function createAuditor({ client, homes, log, names = createNames(), now = Date.now }: AuditorOptions): Auditor {
  const leaving = new AbortController()
  const goesOn = () => !leaving.signal.aborted
  const search = createHomeSearch(client, names, goesOn)
  /** Where the articles of the batches under way lie: searched for, else as the store remembers. */
  const known: Homes = new Map()
  const articles = createArticleIndex({
    client,
    log,
    names,
    now,
    homes: {
      get: async (ids) => new Map(ids.flatMap((id) => (known.has(id) ? [[id, known.get(id)!] as const] : []))),
      claim: (id, month) => homes.claim(id, month),
      remember: (id, month) => homes.remember(id, month),
      serverChanged: () => homes.serverChanged(),
    },
  })

  async function audit(batch: readonly IncomingArticle[], { repair, refresh = false }: AuditOptions): Promise<AuditReport> {
    const ids = [...new Set(batch.map(({ article }) => article.articleId))]
    const places = await untilAnswered(() => findHomes(ids, refresh))
    const { byArticle } = await untilAnswered(() => patiently(() => look(client, names, places), goesOn))
    const { due, ...report } = judge(batch, byArticle, now())
    for (const id of report.rejected) log.warn({ articleId: id, reason: byArticle.get(id)!.error!.message }, UNREPAIRED)
    if (!repair || due.length === 0) return { checked: batch.length, ...report, repaired: 0 }
    for (const [id, month] of places) known.set(id, month)
    const written = await putBack(due).finally(() => ids.forEach((id) => known.delete(id)))
    return { checked: batch.length, ...report, repaired: written.repaired, rejected: [...report.rejected, ...written.rejected] }
  }

  /** Never a month that is computed from a record: an article lies where it was first written. */
  async function findHomes(ids: ArticleId[], refresh: boolean): Promise<Homes> {
    const isChanged = await remembered(() => homes.serverChanged())
    const found = await search(ids, isChanged || refresh)
    // Written so lately that no search sees it yet.
    const lately = await remembered(() => homes.get(ids.filter((id) => !found.has(id))))
    return new Map([...found, ...lately])
  }

  /** Captures of one article are written one after another, in the order in which they are given. */
  async function putBack(due: readonly IncomingArticle[]): Promise<{ repaired: number; rejected: ArticleId[] }> {
    const repaired = new Set<ArticleId>()
    const rejected = new Set<ArticleId>()
    const write = async (incoming: IncomingArticle): Promise<void> => {
      const { articleId } = incoming.article
      try {
        const { written } = await untilAnswered(() => articles.index(incoming, leaving.signal))
        if (written) repaired.add(articleId)
      } catch (error) {
        if (!(error instanceof PermanentError) && !(error instanceof RetryableError)) throw error
        rejected.add(articleId)
        log.warn({ articleId, captureId: incoming.captureId, reason: error.message }, UNREPAIRED)
      }
    }
    const writeAll = async (captures: readonly IncomingArticle[]) => {
      for (const capture of captures) await write(capture)
    }
    const groups = Map.groupBy(due, ({ article }) => article.articleId)
    const results = await Promise.allSettled([...groups.values()].map(writeAll))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return { repaired: repaired.size, rejected: [...rejected] }
  }

  /** Asks again for as long as what is asked is away. */
  async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask()
      } catch (error) {
        const wait = isSearchFault(error) ? searchUnavailable(requestFault(error)) : error
        if (!(wait instanceof RateLimitedError) || tries === MOST_TRIES || !goesOn()) throw wait
        await sleep(wait.ms, undefined, { signal: leaving.signal })
      }
    }
  }

  async function close(): Promise<void> {
    leaving.abort(new Error('the audit was stopped'))
    await articles.close()
  }

  return { audit, close }
}

const UNREPAIRED = 'an article could not be put back'
