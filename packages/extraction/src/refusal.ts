import type { RefusalCode } from '@copydesk/contracts'

/** Why a page ends here: the code that is counted, and what the decision was made on, in words. */
export interface Refusal {
  code: RefusalCode
  evidence: string
}

/** Builds a refusal, for `return refuse(…)`. */
export function refuse(code: RefusalCode, evidence: string): { refused: Refusal } {
  return { refused: { code, evidence } }
}
