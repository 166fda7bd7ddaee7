import { setTimeout as sleep } from 'node:timers/promises'
import { CaptureId, IngestResponse } from '@copydesk/contracts'
import { z } from 'zod'
import type { Site } from './origin.ts'
import type { Random } from './random.ts'

const Undecided = z.object({ undecided: z.literal(true), captureIds: z.array(CaptureId) })

/** What was handed in, and what the API answered. */
export interface Load {
  /** Captures that the API answered with, and their pages. */
  answered: Map<CaptureId, number>
  /** Captures that may be accepted. */
  undecided: Map<CaptureId, number>
  /** Requests without a whole answer. */
  cut: number
  /** Requests that were answered that nothing was taken in; by status. */
  refused: Map<number, number>
  /** The words of the refusals. */
  reasons: Set<string>
  /** The longest that an answer took, in milliseconds. */
  slowestMs: number
  /** Resolves when all is handed in. */
  done: Promise<void>
}

export interface LoadOptions {
  api: string
  site: Site
  random: Random
  /** Over how long it is handed in, in milliseconds; as fast as it is answered, where nothing is said. */
  overMs?: number
  /** Whether half of the pages change and come again. */
  again?: boolean
  /** Only these pages. */
  pages?: number[]
  /** They change first. */
  changed?: boolean
  /** Items per request. */
  items?: number
  /** Waited for before each request. */
  pace?: () => Promise<void>
  /** Ends a load that hangs. */
  giveUpMs?: number
}

/**
 * Hands in every page once, and half of them, chosen by chance, a second time after they changed. A request that is not answered, or is
 * answered that it was not taken in, comes again: in the end each page was accepted.
 */
export function startLoad({ api, site, random, overMs = 0, items = 20, giveUpMs = 180_000, ...how }: LoadOptions): Load {
  const load: Load = {
    answered: new Map(),
    undecided: new Map(),
    cut: 0,
    refused: new Map(),
    reasons: new Set(),
    slowestMs: 0,
    done: Promise.resolve(),
  }
  const steps = plan(site, random, how, items)

  async function run(): Promise<void> {
    const since = Date.now()
    for (const [at, step] of steps.entries()) {
      const wait = since + (overMs * at) / steps.length - Date.now()
      if (wait > 0) await sleep(wait)
      await how.pace?.()
      if (step.changed) for (const page of step.pages) site.change(page)
      while (!(await handIn(step.pages))) {
        if (Date.now() - since > overMs + giveUpMs)
          throw new Error(`the API took nothing in for too long: ${[...load.reasons].join(' | ')}`)
        await sleep(300)
      }
    }
  }

  async function handIn(pages: number[]): Promise<boolean> {
    const since = Date.now()
    const body = JSON.stringify({ items: pages.map((page) => ({ url: site.url(page) })) })
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(15_000) }
    const response = await fetch(`${api}/api/v1/ingest`, request)
      .then(async (answer) => ({ status: answer.status, body: await answer.json() }))
      .catch(() => null)
    load.slowestMs = Math.max(load.slowestMs, Date.now() - since)
    if (response === null) load.cut += 1
    else if (response.status === 202) return note(response.body, pages)
    else turnedDown(response.status, response.body, pages)
    return false
  }

  function note(body: unknown, pages: number[]): true {
    for (const [at, result] of IngestResponse.parse(body).results.entries()) {
      if ('problem' in result) throw new Error(`the API refuses a page of the drill: ${result.problem.detail}`)
      load.answered.set(result.captureId, pages[at]!)
    }
    return true
  }

  function turnedDown(status: number, body: unknown, pages: number[]): void {
    const undecided = Undecided.safeParse(body).data
    for (const [at, captureId] of (undecided?.captureIds ?? []).entries()) load.undecided.set(captureId, pages[at]!)
    if (undecided) return
    load.refused.set(status, (load.refused.get(status) ?? 0) + 1)
    load.reasons.add(String((body as { detail?: unknown }).detail))
  }

  load.done = run()
  // Whoever waits for it learns of a failure; until then it must not end the process.
  load.done.catch(() => undefined)
  return load
}

interface LoadStep {
  pages: number[]
  changed: boolean
}

/** The first time of every page, and with a lag the second time of half of them. */
function plan(
  site: Site,
  random: Random,
  { again = true, changed = false, pages }: Pick<LoadOptions, 'again' | 'changed' | 'pages'>,
  items: number,
): LoadStep[] {
  const all = pages ?? Array.from({ length: site.n }, (_, page) => page)
  const chosen = new Set(again ? random.shuffled(all).slice(0, Math.floor(all.length / 2)) : [])
  const first = chunks(all, items).map((pages) => ({ pages, changed }))
  const second = first.map(({ pages }) => ({ pages: pages.filter((page) => chosen.has(page)), changed: true }))
  const lag = Math.ceil(first.length / 2)
  const steps = Array.from({ length: first.length + lag }, (_, at) => [first[at], second[at - lag]]).flat()
  return steps.filter((step) => step !== undefined && step.pages.length > 0) as LoadStep[]
}

function chunks<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size))
}
