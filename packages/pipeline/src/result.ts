import type { ArticleId, Outcome, RefusalCode } from '@copydesk/contracts'

/** What a stage returns: its output for the next one, or the capture's end. */
export type StageResult<Output> = Next<Output> | End

export interface Next<Output> {
  next: true
  output: Output
}

export interface End {
  next: false
  outcome: Exclude<Outcome, 'failed' | 'dismissed' | 'duplicate-run'>
  code?: RefusalCode
  /** What the decision was made on, in words; at most 1 KB is kept. */
  evidence?: string
  articleId?: ArticleId
}

/** Hand this over to the next stage. */
export function next<Output>(output: Output): Next<Output> {
  return { next: true, output }
}

/** The capture is done. A refusal carries its code and the evidence. */
export function end(outcome: End['outcome'], facts: Omit<End, 'next' | 'outcome'> = {}): End {
  return { next: false, outcome, ...facts }
}
