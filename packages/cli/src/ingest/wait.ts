import { setTimeout as sleep } from 'node:timers/promises'
import { Article, type CaptureId, CaptureView, STAGES } from '@copydesk/contracts'
import { type Api, Refused } from '../client/api.ts'

const AT_ONCE = 16
const POLL_MS = 250
/** How long the API may be away while captures are followed. */
const PATIENCE_MS = 60_000
/** The index shows what was written after five seconds at most. */
const SEARCHABLE_MS = 15_000

/** Where the captures stand: by stage, and how many are done. */
export interface Progress {
  done: number
  of: number
  stages: Record<string, number>
  /** Why a capture was put back last, where one waits for that. */
  held: string | undefined
}

/** Follows captures until each has an outcome; `onProgress` is called after every round. */
export async function waitForOutcomes(
  api: Api,
  captureIds: CaptureId[],
  onProgress: (progress: Progress) => void,
): Promise<Map<CaptureId, CaptureView>> {
  const views = new Map<CaptureId, CaptureView>()
  let open = captureIds
  let answeredAt = Date.now()
  for (;;) {
    try {
      await lookUp(api, open, (view) => views.set(view.captureId, view))
      answeredAt = Date.now()
    } catch (error) {
      // Redis or the API may be starting again: what was accepted goes on meanwhile.
      if (Date.now() - answeredAt > PATIENCE_MS) throw error
    }
    open = captureIds.filter((id) => views.get(id)?.outcome === undefined)
    const stages = Object.fromEntries(STAGES.map(({ name }) => [name, open.filter((id) => views.get(id)?.stage === name).length]))
    onProgress({ done: captureIds.length - open.length, of: captureIds.length, stages, held: heldBy(open.map((id) => views.get(id))) })
    if (open.length === 0) return views
    await sleep(POLL_MS)
  }
}

function heldBy(views: (CaptureView | undefined)[]): string | undefined {
  const last = views.map((view) => view?.events.at(-1)).find((event) => event?.event === 'put-back')
  return last && `${last.code}, attempt ${last.attempt}`
}

async function lookUp(api: Api, captureIds: CaptureId[], onView: (view: CaptureView) => void): Promise<void> {
  const queue = captureIds.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const id of queue) onView(await api.get(CaptureView, `/captures/${id}`))
    }),
  )
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
