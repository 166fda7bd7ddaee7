import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { type CaptureId, type Hints, IngestResponse, type IngestResult, MAX_PAGE_BYTES } from '@copydesk/contracts'
import { hideUserinfo } from '@copydesk/url'
import { type Api, Refused } from '../client/api.ts'
import { type Input, pathFault } from './expand-inputs.ts'

/** What became of one input when it was sent. */
export type Sent = { name: string; captureId: CaptureId; duplicateOf?: CaptureId } | { name: string; reason: string; code: string }

export interface SendOptions {
  /** The address of bytes in hand. */
  url?: string
  hints: Hints
}

/** Addresses in one request: the API's own limit is 1,000 and 1 MiB. */
const BATCH = 200
const AT_ONCE = 8

/** Sends inputs to the API: addresses in batches, bytes one by one, several at once. `onSent` is called as each is answered. */
export async function sendInputs(api: Api, inputs: Input[], options: SendOptions, onSent: (sent: Sent) => void): Promise<void> {
  const urls = inputs.filter((input) => input.kind === 'url')
  const rest = inputs.filter((input) => input.kind !== 'url')
  const tasks: (() => Promise<void>)[] = []
  for (let at = 0; at < urls.length; at += BATCH) {
    const batch = urls.slice(at, at + BATCH).map(({ name }) => name)
    tasks.push(async () => (await sendUrls(api, batch, options.hints)).forEach(onSent))
  }
  for (const input of rest) tasks.push(async () => onSent(await sendBytes(api, input, options)))
  const queue = tasks.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const task of queue) await task()
    }),
  )
}

async function sendUrls(api: Api, urls: string[], hints: Hints): Promise<Sent[]> {
  const body = JSON.stringify({ items: urls.map((url) => ({ url, ...hints })) })
  const results = await answered(async () => await api.post(IngestResponse, '/ingest', body, 'application/json'))
  return urls.map((name, at) => sentOf(hideUserinfo(name), results[at]))
}

async function sendBytes(api: Api, input: Exclude<Input, { kind: 'url' }>, { url, hints }: SendOptions): Promise<Sent> {
  const { name } = input
  let bytes: Buffer<ArrayBuffer>
  try {
    bytes = input.kind === 'stdin' ? await buffer(process.stdin) : await readFile(name)
  } catch (error) {
    return { name, reason: pathFault(name, error), code: 'unreadable' }
  }
  if (bytes.length === 0) return { name, reason: 'it is empty: there is nothing to take in', code: 'empty' }
  // The API would refuse it after all of it was sent, and hang up on one that is far too large.
  if (bytes.length > MAX_PAGE_BYTES)
    return { name, reason: `it is larger than the ${MAX_PAGE_BYTES / 1024 / 1024} MiB that are taken of a page`, code: 'too-large' }
  const query = new URLSearchParams()
  if (url !== undefined) query.set('url', url)
  for (const [key, value] of Object.entries(hints)) for (const each of [value].flat()) if (each !== undefined) query.append(key, each)
  const type = input.kind === 'file' ? input.contentType : 'application/octet-stream'
  const [result] = await answered(
    async () => await api.post(IngestResponse, `/ingest${query.size > 0 ? `?${query.toString()}` : ''}`, bytes, type),
  )
  return sentOf(name, result)
}

/** A refusal of the whole request is one of each of its items; anything else is thrown. */
async function answered(ask: () => Promise<IngestResponse>): Promise<(IngestResult | undefined)[]> {
  try {
    return (await ask()).results
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.status >= 500) throw error
    const given = IngestResponse.safeParse(error.body)
    return given.success ? given.data.results : [{ url: null, problem: error.problem }]
  }
}

function sentOf(name: string, result: IngestResult | undefined): Sent {
  if (!result) return { name, reason: 'the API did not answer for it', code: 'internal' }
  if ('problem' in result) return { name, reason: result.problem.detail, code: result.problem.code ?? 'refused' }
  const { captureId, duplicateOf } = result
  return { name, captureId, ...(duplicateOf && { duplicateOf }) }
}
