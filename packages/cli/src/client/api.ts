import { Problem } from '@copydesk/contracts'
import { z } from 'zod'
import { CannotRun } from '../local/cannot-run.ts'
import { apiUrl } from '../system/api-url.ts'

/** The API refused: what it said, and its results where it gave any. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly problem: Problem
  readonly body: unknown
  /** Milliseconds after which the API says to ask again; null where it doesn't say. */
  readonly retryMs: number | null
  constructor(problem: Problem, body: unknown, retryMs: number | null = null) {
    super(problem.detail)
    this.problem = problem
    this.body = body
    this.retryMs = retryMs
  }
}

export type Api = ReturnType<typeof createApiClient>

/** The API of the running system. Throws CannotRun where none answers, Refused where it answers with a problem. */
export function createApiClient(base = apiUrl()) {
  async function ask<T>(schema: z.ZodType<T>, path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
      throw new CannotRun(
        `no Copydesk answers at ${base}: start it with ./copydesk up (or docker compose up --wait), or set COPYDESK_URL`,
        { cause },
      )
    })
    const body: unknown = await response.json().catch(() => null)
    if (!response.ok) {
      const problem = Problem.safeParse(body)
      if (problem.success) throw new Refused(problem.data, body, retryMs(response))
      throw new CannotRun(`what answers at ${base} is not Copydesk (status ${response.status}): set COPYDESK_URL to its API`)
    }
    const parsed = schema.safeParse(body)
    if (!parsed.success)
      throw new CannotRun(`what answers at ${base} is not this version of Copydesk: update one of the two, or set COPYDESK_URL`)
    return parsed.data
  }
  return {
    base,
    get: async <T>(schema: z.ZodType<T>, path: string, query: Record<string, string | number> = {}): Promise<T> => {
      const text = new URLSearchParams(Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]))).toString()
      return await ask(schema, `/api/v1${path}${text === '' ? '' : `?${text}`}`)
    },
    /** Orders something; `body` is sent as JSON. */
    order: async <T>(schema: z.ZodType<T>, path: string, body: object = {}): Promise<T> =>
      await ask(schema, `/api/v1${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    post: async <T>(schema: z.ZodType<T>, path: string, body: string | Uint8Array<ArrayBuffer>, contentType: string): Promise<T> =>
      await ask(schema, `/api/v1${path}`, { method: 'POST', body, headers: { 'content-type': contentType } }),
  }
}

/** Of `Retry-After` only the seconds are read: nothing else is sent. */
function retryMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? NaN)
  return Number.isFinite(seconds) ? seconds * 1000 : null
}
