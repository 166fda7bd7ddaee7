import { ArticleRecord } from '@copydesk/contracts'
import { defineStage, end, type StageContext } from '@copydesk/pipeline'
import type { ArticleIndex } from '@copydesk/search'
import { z } from 'zod'

export interface IndexDeps {
  articles: Pick<ArticleIndex, 'index'>
}

/** Writes one document per article and ends the capture with what the decision was. */
export const indexStage = defineStage({
  name: 'index',
  input: ArticleRecord,
  from: 'record',
  output: z.never(),
  async run(record, { deps, signal, captureId, rev }: StageContext<IndexDeps>) {
    const { outcome, code } = await deps.articles.index({ ...record, captureId, rev }, signal)
    return end(outcome, { articleId: record.article.articleId, ...(code !== undefined && { code }) })
  },
})
