import { ArticleRecord, PageReference } from '@copydesk/contracts'
import { defineStage, next, type StageContext } from '@copydesk/pipeline'
import type { ParserPool } from '@copydesk/runtime'

/** What the extract-metadata stage works with. */
export interface ExtractMetadataDeps {
  pages: Pick<ParserPool, 'describe'>
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
