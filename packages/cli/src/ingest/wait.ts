import { setTimeout as sleep } from 'node:timers/promises'
import { Article, type CaptureId, CaptureView, STAGES } from '@copydesk/contracts'
import { type Api, Refused } from '../client/api.ts'

const AT_ONCE = 16
const POLL_MS = 250
/** The index shows what was written after five seconds at most. */
const SEARCHABLE_MS = 15_000

/** Where the captures stand: by stage, and how many are done. */
export interface Progress {
  done: number
  of: number
  stages: Record<string, number>
}

/** Follows captures until each has an outcome; `onProgress` is called after every round. */
export async function waitForOutcomes(
  api: Api,
  captureIds: CaptureId[],
  onProgress: (progress: Progress) => void,
): Promise<Map<CaptureId, CaptureView>> {
  const views = new Map<CaptureId, CaptureView>()
  let open = captureIds
  for (;;) {
    const round = await lookUp(api, open)
    for (const view of round) views.set(view.captureId, view)
    open = captureIds.filter((id) => views.get(id)?.outcome === undefined)
    const stages = Object.fromEntries(STAGES.map(({ name }) => [name, open.filter((id) => views.get(id)?.stage === name).length]))
    onProgress({ done: captureIds.length - open.length, of: captureIds.length, stages })
    if (open.length === 0) return views
    await sleep(POLL_MS)
  }
}

async function lookUp(api: Api, captureIds: CaptureId[]): Promise<CaptureView[]> {
  const views: CaptureView[] = []
  const queue = captureIds.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const id of queue) views.push(await api.get(CaptureView, `/captures/${id}`))
    }),
  )
  return views
}

/** Waits until the article that was written last is found by searches: what was ingested can be searched for when the command ends. */
export async function waitUntilSearchable(api: Api, views: Iterable<CaptureView>): Promise<void> {
  const indexed = [...views].filter(({ outcome, articleId }) => outcome === 'indexed' && articleId !== undefined)
  const last = indexed.toSorted((a, b) => (a.events.at(-1)?.at ?? '').localeCompare(b.events.at(-1)?.at ?? '')).at(-1)
  if (!last?.articleId) return
  const deadline = Date.now() + SEARCHABLE_MS
  while (Date.now() < deadline) {
    try {
      const article = await api.get(Article, `/articles/${last.articleId}`)
      if (article.captureId === last.captureId) return
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
    await sleep(POLL_MS)
  }
}
