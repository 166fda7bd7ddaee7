import { readFile, stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { CaptureId, type Hints, IngestResponse, type IngestResult, MAX_PAGE_BYTES } from '@copydesk/contracts'
import { hideUserinfo } from '@copydesk/url'
import { z } from 'zod'
import { type Api, Refused } from '../client/api.ts'
import { type Input, pathFault } from './expand-inputs.ts'

/** What became of one input when it was sent. `undecided`: it may be accepted yet. */
export type Sent =
  | { name: string; captureId: CaptureId; duplicateOf?: CaptureId; undecided?: boolean }
  | { name: string; reason: string; code: string }

export interface SendOptions {
  /** The address of bytes in hand. */
  url?: string
  hints: Hints
  /** Told why intake is full, each time that it is waited for. */
  onHeld?: (reason: string) => void
}

/** Addresses in one request: the API's own limit is 1,000 and 1 MiB. */
const TOO_LARGE = { reason: `it is larger than the ${MAX_PAGE_BYTES / 1024 / 1024} MiB that are taken of a page`, code: 'too-large' }
const BATCH = 200
const AT_ONCE = 8

/** Sends inputs to the API: addresses in batches, bytes one by one, several at once. `onSent` is called as each is answered. Where nothing
 * answers at all it throws CannotRun; once something was taken in, what fails later is only the failure of its own inputs. */
export async function sendInputs(api: Api, inputs: Input[], options: SendOptions, onSent: (sent: Sent) => void): Promise<void> {
  const urls = inputs.filter((input) => input.kind === 'url')
  const rest = inputs.filter((input) => input.kind !== 'url')
  const tasks: Task[] = rest.map((input) => ({ names: [input.name], send: async () => [await sendBytes(api, input, options)] }))
  for (let at = 0; at < urls.length; at += BATCH) {
    const names = urls.slice(at, at + BATCH).map(({ name }) => name)
    tasks.push({ names, send: async () => await sendUrls(api, names, options.hints) })
  }
  let answers = 0
  const queue = tasks.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const task of queue) {
        const sent = await untilTaken(task, options.onHeld).catch((error: unknown) => {
          if (answers === 0) throw error
          return task.names.map((name) => ({ name: hideUserinfo(name), reason: messageOf(error), code: 'unanswered' }))
        })
        answers += 1
        sent.forEach(onSent)
      }
    }),
  )
}

/** One request, and the inputs that it is for. */
interface Task {
  names: string[]
  send(): Promise<Sent[]>
}

/** Intake that is full makes room by itself, or an operator does: what is refused for that is sent again, as late as the API says. */
const FULL = ['queue-full', 'redis-full', 'disk-full']
const RETRY_MS = 5000

async function untilTaken(task: Task, onHeld: ((reason: string) => void) | undefined): Promise<Sent[]> {
  for (;;) {
    try {
      return await task.send()
    } catch (error) {
      if (!(error instanceof Refused) || !FULL.includes(error.problem.code ?? '')) throw error
      onHeld?.(error.message)
      await sleep(error.retryMs ?? RETRY_MS)
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function sendUrls(api: Api, urls: string[], hints: Hints): Promise<Sent[]> {
  const body = JSON.stringify({ items: urls.map((url) => ({ url, ...hints })) })
  const { results, undecided } = await answered(async () => await api.post(IngestResponse, '/ingest', body, 'application/json'))
  return urls.map((name, at) => sentOf(hideUserinfo(name), results[at], undecided))
}

async function sendBytes(api: Api, input: Exclude<Input, { kind: 'url' }>, { url, hints }: SendOptions): Promise<Sent> {
  const { name } = input
  let bytes: Buffer<ArrayBuffer>
  try {
    if (input.kind === 'file' && (await stat(name)).size > MAX_PAGE_BYTES) return { name, ...TOO_LARGE }
    bytes = input.kind === 'stdin' ? await buffer(process.stdin) : await readFile(name)
  } catch (error) {
    return { name, reason: pathFault(name, error), code: 'unreadable' }
  }
  if (bytes.length === 0) return { name, reason: 'it is empty: there is nothing to take in', code: 'empty' }
  // The API would refuse it after all of it was sent, and hang up on one that is far too large.
  if (bytes.length > MAX_PAGE_BYTES) return { name, ...TOO_LARGE }
  const query = new URLSearchParams()
  if (url !== undefined) query.set('url', url)
  for (const [key, value] of Object.entries(hints)) for (const each of [value].flat()) if (each !== undefined) query.append(key, each)
  const type = input.kind === 'file' ? input.contentType : 'application/octet-stream'
  const { results, undecided } = await answered(
    async () => await api.post(IngestResponse, `/ingest${query.size > 0 ? `?${query.toString()}` : ''}`, bytes, type),
  )
  return sentOf(name, results[0], undecided)
}

const Undecided = z.object({ undecided: z.literal(true), captureIds: z.array(CaptureId), results: IngestResponse.shape.results.optional() })

/** What a request came to: a result for each of its items, and whether they are decided. */
interface Answered {
  results: IngestResult[]
  undecided: boolean
}

/** A refusal of the whole request is one of each of its items; what is undecided has its captureIds; anything else is thrown. */
async function answered(ask: () => Promise<IngestResponse>): Promise<Answered> {
  try {
    return { ...(await ask()), undecided: false }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const undecided = Undecided.safeParse(error.body)
    if (undecided.success) {
      const { captureIds, results = captureIds.map((captureId) => ({ url: null, captureId })) } = undecided.data
      return { results, undecided: true }
    }
    if (error.problem.status >= 500 || error.problem.status === 429) throw error
    const given = IngestResponse.safeParse(error.body)
    return { results: given.success ? given.data.results : [{ url: null, problem: error.problem }], undecided: false }
  }
}

function sentOf(name: string, result: IngestResult | undefined, undecided: boolean): Sent {
  if (!result) return { name, reason: 'the API did not answer for it', code: 'internal' }
  if ('problem' in result) return { name, reason: result.problem.detail, code: result.problem.code ?? 'refused' }
  const { captureId, duplicateOf } = result
  return { name, captureId, ...(duplicateOf && { duplicateOf }), ...(undecided && { undecided }) }
}
