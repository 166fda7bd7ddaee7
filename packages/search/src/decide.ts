import type { ArticleRecord } from '@copydesk/contracts'
import type { IncomingArticle, RetractedArticle, StoredArticle } from './document.ts'

export type IndexOutcome = 'indexed' | 'unchanged' | 'stale' | 'regressed' | 'refused'

export interface Decision {
  /** Whether the incoming article replaces the stored one. */
  write: boolean
  outcome: IndexOutcome
  code?: 'retracted'
}

type Incoming = Pick<IncomingArticle, 'captureId' | 'rev' | 'fetchedAt'> & {
  article: Pick<ArticleRecord['article'], 'contentHash' | 'extent' | 'wordCount'>
}

/** What is compared of a stored article. */
type Compared = Omit<StoredArticle, 'urls' | 'firstSeenAt'>

/** What becomes of an incoming article beside the stored one, or beside nothing: the table in docs/STAGES.md, read from the top. Newer and older are by the time of the fetch. */
export function decide(stored: Compared | RetractedArticle | null, incoming: Incoming): Decision {
  if (stored === null) return write('indexed')
  if (stored.status === 'retracted') return { write: false, outcome: 'refused', code: 'retracted' }
  if (stored.captureId !== incoming.captureId) return compare(stored, incoming)
  if (stored.rev !== incoming.rev) return stored.rev < incoming.rev ? write('indexed') : keep('stale')
  // The same capture again. After a kill between the write and its end it is the same fetch; where Redis came back from before its fetch it was
  // fetched anew, and what was ingested of the address meanwhile may have ended as a repeat of it: then only this holds what the page says now.
  return isNewer(stored, incoming) && compare(stored, incoming).write ? write('indexed') : keep('indexed')
}

function compare(stored: Compared, incoming: Incoming): Decision {
  const { article } = incoming
  const newer = isNewer(stored, incoming)
  if (stored.extent === 'whole') {
    const isHalved = newer && incoming.rev === 0 && article.wordCount < stored.wordCount / 2
    if (article.extent !== 'whole' || isHalved) return keep('regressed')
  } else if (article.extent === 'whole') return write('indexed')
  if (!newer) return keep('stale')
  // Written although nothing changed: it carries the newer fetch, so that no older capture overtakes it.
  return write(stored.contentHash === article.contentHash ? 'unchanged' : 'indexed')
}

function isNewer(stored: Pick<StoredArticle, 'fetchedAt'>, incoming: Incoming): boolean {
  return Date.parse(incoming.fetchedAt) > Date.parse(stored.fetchedAt)
}

function write(outcome: IndexOutcome): Decision {
  return { write: true, outcome }
}

function keep(outcome: IndexOutcome): Decision {
  return { write: false, outcome }
}
