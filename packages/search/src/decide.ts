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

/** What becomes of an incoming article beside the stored one, or beside nothing: the table in docs/STAGES.md, read from the top. Newer and older are by the time of the fetch. */
export function decide(stored: Omit<StoredArticle, 'urls' | 'firstSeenAt'> | RetractedArticle | null, incoming: Incoming): Decision {
  const { article } = incoming
  if (stored === null) return write('indexed')
  if (stored.status === 'retracted') return { write: false, outcome: 'refused', code: 'retracted' }
  if (stored.captureId === incoming.captureId) {
    // The same run again, after a kill between the write and its end.
    if (stored.rev === incoming.rev) return keep('indexed')
    return stored.rev < incoming.rev ? write('indexed') : keep('stale')
  }
  const isNewer = Date.parse(incoming.fetchedAt) > Date.parse(stored.fetchedAt)
  if (stored.extent === 'whole') {
    const isHalved = isNewer && incoming.rev === 0 && article.wordCount < stored.wordCount / 2
    if (article.extent !== 'whole' || isHalved) return keep('regressed')
  } else if (article.extent === 'whole') return write('indexed')
  if (!isNewer) return keep('stale')
  // Written although nothing changed: it carries the newer fetch, so that no older capture overtakes it.
  return write(stored.contentHash === article.contentHash ? 'unchanged' : 'indexed')
}

function write(outcome: IndexOutcome): Decision {
  return { write: true, outcome }
}

function keep(outcome: IndexOutcome): Decision {
  return { write: false, outcome }
}
