import { CaptureId } from '@copydesk/contracts'
import { expect, test } from 'vitest'
import { type Api, Refused } from '../client/api.ts'
import { CannotRun } from '../local/cannot-run.ts'
import { type Sent, sendInputs } from './send.ts'

const captureId = CaptureId.parse('01890000-0000-7000-8000-000000000000')
const urls = Array.from({ length: 250 }, (_, at) => ({ kind: 'url' as const, name: `https://news.example/${at}` }))

/** An API that answers its first request with 202, and every later one as told. */
function apiThat(fails: () => Promise<never>): Api {
  let requests = 0
  const post = async (schema: { parse(value: unknown): unknown }, _path: string, body: unknown) => {
    requests += 1
    if (requests > 1) return await fails()
    const { items } = JSON.parse(String(body)) as { items: { url: string }[] }
    return schema.parse({ results: items.map(({ url }) => ({ url, captureId })) })
  }
  return { base: 'http://api', get: fails, post } as unknown as Api
}

async function send(api: Api): Promise<Sent[]> {
  const sent: Sent[] = []
  await sendInputs(api, urls, { hints: {} }, (each) => sent.push(each))
  return sent
}

test('what was taken in before a request failed keeps its captureIds, and what failed has its reason', async () => {
  const sent = await send(apiThat(async () => await Promise.reject(new CannotRun('no Copydesk answers'))))
  expect(sent).toHaveLength(250)
  expect(sent.filter((each) => 'captureId' in each)).toHaveLength(200)
  expect(sent.at(-1)).toEqual({ name: 'https://news.example/249', reason: 'no Copydesk answers', code: 'unanswered' })
})

test('what is undecided has its captureId, and says so', async () => {
  const problem = { type: 'urn:x', title: 'x', status: 503, detail: 'undecided' }
  const results = urls.slice(200).map(({ name }) => ({ url: name, captureId }))
  const body = { ...problem, undecided: true, captureIds: results.map((each) => each.captureId), results }
  const sent = await send(apiThat(async () => await Promise.reject(new Refused(problem, body))))
  expect(sent.at(-1)).toEqual({ name: 'https://news.example/249', captureId, undecided: true })
})

test('where nothing answers at all, the command cannot run', async () => {
  const away = {
    base: '',
    get: async () => undefined,
    post: async () => await Promise.reject(new CannotRun('no Copydesk answers')),
  } as unknown as Api
  await expect(send(away)).rejects.toThrow('no Copydesk answers')
})

test('an intake that is full is waited for, as long as it says, and told of', async () => {
  const full = { type: 'urn:x', title: 'x', status: 429, detail: 'intake is full: 200000 captures are under way', code: 'queue-full' }
  const held: string[] = []
  let refusals = 0
  const post = async (schema: { parse(value: unknown): unknown }, _path: string, body: unknown) => {
    refusals += 1
    if (refusals <= 3) throw new Refused(full, full, 10)
    const { items } = JSON.parse(String(body)) as { items: { url: string }[] }
    return schema.parse({ results: items.map(({ url }) => ({ url, captureId })) })
  }
  const sent: Sent[] = []
  const api = { base: 'http://api', post } as unknown as Api
  await sendInputs(api, urls, { hints: {}, onHeld: (reason) => held.push(reason) }, (each) => sent.push(each))
  expect(sent.filter((each) => 'captureId' in each)).toHaveLength(250)
  expect(held).toEqual([full.detail, full.detail, full.detail])
})
