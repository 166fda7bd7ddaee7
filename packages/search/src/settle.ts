import { PermanentError } from '@copydesk/pipeline'
import type { BatchItem } from './batcher.ts'
import type { WriteResult } from './bulk.ts'
import type { IndexOutcome } from './decide.ts'
import type { IncomingArticle } from './document.ts'
import { type Fault, passes } from './faults.ts'

/** What became of an article. */
export interface Indexed {
  outcome: IndexOutcome
  code?: 'retracted'
  /** Whether this call wrote the document; false where what is stored was kept. */
  written: boolean
}

/** An article that waits for its decision. */
export type Item = BatchItem<IncomingArticle, Indexed>

const ANSWERS: ReadonlySet<WriteResult['state']> = new Set(['written', 'conflict', 'rejected'])

/** Whether any document was dealt with: then the server works. */
export function showsLife(results: readonly WriteResult[]): boolean {
  return results.some(({ state }) => ANSWERS.has(state))
}

/** The fault for which nothing more should be sent, or null. Overload that hit only some of the documents is none, nor is one document at which the server breaks. */
export function circuitFault(results: readonly WriteResult[]): Fault | null {
  const faults = results.flatMap((result) => (result.state === 'unavailable' ? [result.fault] : []))
  if (!showsLife(results)) return faults.find((fault) => !passes(fault)) ?? faults[0] ?? null
  return faults.find((fault) => !passes(fault) && fault.status !== 500) ?? null
}

/** Settles an item by the result of its write, with the error that `unavailable` makes where it has none of its own. False where it must be looked at again. */
export function settle(item: Item, end: Omit<Indexed, 'written'>, result: WriteResult, unavailable: (fault: Fault) => Error): boolean {
  switch (result.state) {
    case 'written':
      item.resolve({ ...end, written: true })
      return true
    case 'rejected': {
      const { status, type } = result.fault
      item.reject(new PermanentError('search-rejected', `Elasticsearch refuses the document (${status} ${type}): the article must change`))
      return true
    }
    case 'unavailable':
      item.reject(unavailable(result.fault))
      return true
    case 'conflict':
    case 'lost':
    case 'no-partition':
      return false
  }
}
