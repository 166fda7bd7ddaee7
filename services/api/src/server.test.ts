import { CaptureId, Problem } from '@copydesk/contracts'
import { EpochError, IntakeClosedError, IntakeFullError, NotDeadError, TaskBusyError, UndecidedError } from '@copydesk/queue'
import { expect, test } from 'vitest'
import { type ApiDeps, createApi } from './server.ts'

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const captureId = CaptureId.parse('01890000-0000-7000-8000-000000000000')
const unasked = async (): Promise<never> => {
  throw new Error('not asked for in this test')
}

interface Parts {
  take?: ApiDeps['ingest']['take']
  status?: ApiDeps['views']['status']
  retry?: ApiDeps['deadLetters']['retry']
  ask?: ApiDeps['tasks']['ask']
}

function api(parts: Parts = {}) {
  return createApi({
    ingest: { take: parts.take ?? (async (requests) => requests.map(() => ({ captureId }))), refuses: () => null, binary: () => null },
    views: { capture: async () => null, url: unasked, status: parts.status ?? unasked },
    articles: { search: unasked, article: unasked },
    deadLetters: {
      list: async () => ({ total: 0, failures: [], after: null }),
      get: async () => null,
      retry: parts.retry ?? unasked,
      dismiss: unasked,
      retryAll: unasked,
      dismissAll: unasked,
    },
    tasks: { ask: parts.ask ?? unasked, read: async () => null },
    health: { waitingFor: () => [], metrics: async () => ({ contentType: 'text/plain', text: '' }) },
    log,
  })
}
const PROBLEM = expect.stringMatching(/^application\/problem\+json\b/)
const host = { host: '127.0.0.1:8080' }
const item = { method: 'POST' as const, url: '/api/v1/ingest', headers: host, payload: { items: [{ url: 'https://news.example/a' }] } }

test('work that may be accepted yet is answered 503, undecided, with its captureIds', async () => {
  const take = async () => await Promise.reject(new UndecidedError([captureId], new Error('connection is closed')))
  const answer = await api({ take }).inject(item)
  expect([answer.statusCode, answer.headers['content-type'], answer.headers['retry-after']]).toEqual([503, PROBLEM, '30'])
  expect(answer.json()).toMatchObject({ code: 'undecided', undecided: true, captureIds: [captureId] })
  const mixed = await api({ take }).inject({ ...item, payload: { items: [{ url: 'ftp://x/' }, { url: 'https://news.example/a' }] } })
  expect(mixed.json()).toMatchObject({ undecided: true, results: [{ problem: { code: 'scheme' } }, { captureId }] })
})

test.each([
  ['a closed intake', new IntakeClosedError('the disk is full'), 'intake-closed'],
  ['a Redis of another archive', new EpochError('another one'), 'epoch-lost'],
])('%s is answered 503 with its reason', async (_name, error, code) => {
  const answer = await api({ take: async () => await Promise.reject(error) }).inject(item)
  expect(answer.statusCode).toBe(503)
  expect(Problem.parse(answer.json())).toMatchObject({ code, detail: error.message })
})

test('what is unexpected is our fault, and says nothing of its inside', async () => {
  const answer = await api({ status: async () => await Promise.reject(new Error('secret detail')) }).inject({
    url: '/api/v1/status',
    headers: host,
  })
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('secret')
})

test('every answer forbids sniffing and caching', async () => {
  const app = api()
  for (const answer of [await app.inject(item), await app.inject({ url: '/nowhere', headers: host })])
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
})

test('a foreign name in Host is refused', async () => {
  const answer = await api().inject({ ...item, headers: { host: 'evil.example' } })
  expect(answer.statusCode).toBe(403)
  expect(Problem.parse(answer.json()).code).toBe('foreign-host')
})

test.each([
  ['a path that cannot be decoded', { url: '/api/v1/captures/%E0%A4%A', headers: host }, 400],
  ['a path that is not there', { url: '/api/v1/nothing', headers: host }, 404],
  [
    'an unknown query parameter beside a body',
    { method: 'POST' as const, url: '/api/v1/ingest?foo=bar', headers: { ...host, 'content-type': 'text/plain' }, payload: 'x' },
    400,
  ],
  [
    'an encoded body',
    {
      method: 'POST' as const,
      url: '/api/v1/ingest',
      headers: { ...host, 'content-type': 'text/html', 'content-encoding': 'gzip' },
      payload: 'x',
    },
    415,
  ],
  [
    'another kind of JSON',
    {
      method: 'POST' as const,
      url: '/api/v1/ingest',
      headers: { ...host, 'content-type': 'application/vnd.api+json' },
      payload: '{"items":[]}',
    },
    415,
  ],
])('%s is answered as a problem', async (_name, request, status) => {
  const answer = await api().inject(request)
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, PROBLEM])
  expect(Problem.parse(answer.json())).toMatchObject({ status, detail: expect.any(String) })
})

test('one result for each item, in order: what is wrong with one does not touch the others', async () => {
  const items = [{ url: 'https://news.example/a' }, { url: 'ftp://x/' }, { nothing: 1 }, { url: 'https://news.example/b', tags: ['x'] }]
  const answer = await api().inject({ ...item, payload: { items } })
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toMatchObject({
    results: [
      { url: 'https://news.example/a', captureId },
      { url: 'ftp://x/', problem: { code: 'scheme', pointer: '/items/1/url' } },
      { url: null, problem: { pointer: '/items/2/url' } },
      { url: 'https://news.example/b', captureId },
    ],
  })
})

test.each(['Connection is closed.', 'Command timed out'])('a Redis that is away (%s) is answered 503', async (message) => {
  const answer = await api({ status: async () => await Promise.reject(new Error(message)) }).inject({
    url: '/api/v1/status',
    headers: host,
  })
  const detail: unknown = expect.stringContaining('Redis does not answer')
  expect([answer.statusCode, answer.json()]).toEqual([503, expect.objectContaining({ code: 'redis-unavailable', detail })])
})

test.each([
  ['queue', 429, 'queue-full'],
  ['redis-memory', 503, 'redis-full'],
  ['disk', 503, 'disk-full'],
] as const)('an intake that is full by its %s says so, and when to ask again', async (limit, status, code) => {
  const answer = await api({ take: async () => await Promise.reject(new IntakeFullError(limit, 'it is full')) }).inject(item)
  expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining({ code, detail: 'it is full' })])
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
})

test('what is no dead letter, and a task that is under way, are refused as such', async () => {
  const post = { method: 'POST' as const, headers: host, payload: {} }
  const retry = async () => await Promise.reject(new NotDeadError('it is under way', true))
  const refused = await api({ retry }).inject({ ...post, url: `/api/v1/failures/${captureId}/retry` })
  expect([refused.statusCode, refused.json()]).toEqual([409, expect.objectContaining({ code: 'no-dead-letter' })])
  const ask = async () => await Promise.reject(new TaskBusyError('recover is at work already'))
  const busy = await api({ ask }).inject({ ...post, url: '/api/v1/tasks/recover', payload: { apply: true } })
  expect([busy.statusCode, busy.json()]).toEqual([409, expect.objectContaining({ code: 'task-busy' })])
  for (const url of ['/api/v1/tasks/recover', '/api/v1/tasks/juggle', `/api/v1/failures/${captureId}`])
    expect((await api().inject({ method: 'GET', headers: host, url })).statusCode).toBe(404)
})

test.each(['/api/v1/tasks/recover', `/api/v1/failures/${captureId}/retry`, '/api/v1/failures/dismiss'])(
  'an order to %s that is not declared as JSON, as a page in a browser can send it, is refused',
  async (url) => {
    for (const headers of [host, { ...host, 'content-type': 'text/plain' }]) {
      const answer = await api().inject({ method: 'POST', url, headers, payload: '{"apply":true}' })
      expect([answer.statusCode, answer.json()]).toEqual([415, expect.objectContaining({ code: 'unsupported-type' })])
    }
  },
)
