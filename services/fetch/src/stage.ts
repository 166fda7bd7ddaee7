import { FetchedPage, FetchRequest } from '@copydesk/contracts'
import type { Fetcher } from '@copydesk/http'
import { defineStage, end, next, type StageContext } from '@copydesk/pipeline'
import { z } from 'zod'

/** What the fetch stage works with. */
export interface FetchDeps {
  get: Fetcher['get']
}

const Resume = z.object({ url: z.string(), chain: z.array(z.object({ url: z.string(), status: z.int() })) })

/** One guarded GET: takes the envelope's URL, hands over the page with its wire bytes and the hints of whoever queued it, or ends as `refused`. */
export const fetchStage = defineStage({
  name: 'fetch',
  input: FetchRequest,
  from: 'envelope',
  output: FetchedPage,
  async run({ url, hints, resume }, { deps, signal }: StageContext<FetchDeps>) {
    // One that can't be read, from another version say, costs only the hops that were walked already.
    const from = Resume.safeParse(resume).data
    const result = await deps.get(url, { signal, resume: from })
    if (result.kind === 'refused') return end('refused', { code: result.code, evidence: result.evidence })
    const { page } = result
    return next(hints === undefined ? page : { ...page, capture: { ...page.capture, hints } })
  },
})
