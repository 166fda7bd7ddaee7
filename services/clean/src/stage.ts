import { type CaptureId, CleanedPage, PageReference, type Reference } from '@copydesk/contracts'
import { defineStage, end, next, type StageContext } from '@copydesk/pipeline'
import type { CleanReply } from '@copydesk/runtime'

/** What the clean stage works with. */
export interface CleanDeps {
  /** Reads and cleans the page that the reference names, in a child process. */
  pages: { clean(task: { captureId: CaptureId; ref: Reference }, signal: AbortSignal): Promise<CleanReply> }
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
