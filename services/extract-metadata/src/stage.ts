import { ArticleRecord, type CaptureId, PageReference, type Reference } from '@copydesk/contracts'
import { defineStage, next, type StageContext } from '@copydesk/pipeline'

/** What the extract-metadata stage works with. */
export interface ExtractMetadataDeps {
  /** Reads the cleaned page that the reference names and describes its article, in a child process. */
  pages: { describe(task: { captureId: CaptureId; ref: Reference }, signal: AbortSignal): Promise<ArticleRecord> }
}

/** Works out title, authors, dates, language and address of a cleaned page: the article. A child process reads the page by its reference. */
export const extractMetadataStage = defineStage({
  name: 'extract-metadata',
  input: PageReference,
  from: 'envelope',
  output: ArticleRecord,
  async run({ ref }, { deps, signal, captureId }: StageContext<ExtractMetadataDeps>) {
    return next(await deps.pages.describe({ captureId, ref }, signal))
  },
})
