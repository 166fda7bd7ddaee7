import type { ArticleId } from '@copydesk/contracts'
import { decide } from './decide.ts'
import { buildDocument, type IncomingArticle } from './document.ts'
import type { Look } from './look.ts'

/** What a batch of article records comes to beside what is stored. */
export interface Judgement {
  /** Articles of which nothing is stored. */
  missing: ArticleId[]
  /** Articles of which something older is stored. */
  old: ArticleId[]
  /** Articles under whose id something foreign is stored. */
  rejected: ArticleId[]
  /** Records that are no better than what is stored. */
  kept: number
  /** What is to be written, in order. */
  due: IncomingArticle[]
}

/** Decides on each record as if the ones before it had been written. `now` in milliseconds. */
export function judge(batch: readonly IncomingArticle[], looks: ReadonlyMap<ArticleId, Look>, now: number): Judgement {
  const missing = new Set<ArticleId>()
  const old = new Set<ArticleId>()
  const rejected = new Set<ArticleId>()
  const due: IncomingArticle[] = []
  const last = new Map<ArticleId, Look['stored']>()
  for (const incoming of batch) {
    const { articleId } = incoming.article
    const { stored: first = null, error } = looks.get(articleId) ?? {}
    if (error !== undefined) {
      rejected.add(articleId)
      continue
    }
    const stored = last.get(articleId) ?? first
    if (!decide(stored, incoming).write) continue
    due.push(incoming)
    ;(first === null ? missing : old).add(articleId)
    last.set(articleId, buildDocument(incoming, stored?.status === 'live' ? stored : null, now))
  }
  const kept = batch.filter(({ article }) => !rejected.has(article.articleId)).length - due.length
  return { missing: [...missing], old: [...old], rejected: [...rejected], due, kept }
}
