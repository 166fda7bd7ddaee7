import { CleanedPage, PageReference } from '@copydesk/contracts'
import { defineStage, end, next, type StageContext } from '@copydesk/pipeline'
import type { ParserPool } from '@copydesk/runtime'

/** What the clean stage works with. */
export interface CleanDeps {
  pages: Pick<ParserPool, 'clean'>
}

/** Keeps a page's article and drops the rest. A child process reads the page by its reference; what has no article in it is refused. */
export const cleanStage = defineStage({
  name: 'clean',
  input: PageReference,
  from: 'envelope',
  output: CleanedPage,
  async run({ ref }, { deps, signal, captureId }: StageContext<CleanDeps>) {
    const reply = await deps.pages.clean({ captureId, ref }, signal)
    return 'refused' in reply ? end('refused', reply.refused) : next(reply.page)
  },
})
