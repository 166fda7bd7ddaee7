import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { randomUUID } from 'node:crypto'
import { ROOT } from '@copydesk/cli'
import { createSearchClient } from '@copydesk/search'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { cliFor, MAIN, type Ran, run } from '../support/cli.ts'
import { articleText, newsArticle, townOf } from '../support/news-articles.ts'
import { dropArticles } from '../support/search.ts'

const PASSWORD = 'hunter2'
const SERVICES = ['api', 'clean', 'extract-metadata', 'fetch', 'index', 'scheduler']

/** What scripts may rely on, and nothing beside it. */
const Line = z.strictObject({
  api: z.url(),
  elasticsearch: z.url(),
  redis: z.url(),
  data: z.string(),
  processes: z.array(z.strictObject({ name: z.string(), pid: z.int(), health: z.url() })),
})
type Line = z.infer<typeof Line>

interface Up {
  child: ChildProcess
  line: Line
  stdout: string[]
  stderr: string[]
  exit: Promise<number | null>
}

async function newFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'copydesk-up-'))
}

/** Runs `copydesk up --json` until its line is there. */
async function startUp(folder: string, env: NodeJS.ProcessEnv): Promise<Up> {
  const child = spawn(process.execPath, [MAIN, 'up', '--json', '--data', folder, '--port', '0'], { env: { ...process.env, ...env } })
  const [stdout, stderr]: [string[], string[]] = [[], []]
  createInterface({ input: child.stderr }).on('line', (line) => void stderr.push(line))
  const lines = createInterface({ input: child.stdout }).on('line', (line) => void stdout.push(line))
  const exit = once(child, 'close').then(([code]) => code as number | null)
  await Promise.race([once(lines, 'line'), exit])
  if (stdout[0] === undefined) throw new Error(`up printed no line:\n${stderr.join('\n')}`)
  return { child, line: Line.parse(JSON.parse(stdout[0])), stdout, stderr, exit }
}

/** The tests' stores, under names of one test's own. */
function sharedStores(): NodeJS.ProcessEnv {
  const id = `up-${randomUUID().slice(0, 8)}`
  const client = createSearchClient({ url: inject('elasticsearchUrl') })
  onTestFinished(async () => {
    await dropArticles(client, id)
    await client.close()
  })
  return { REDIS_URL: inject('redisUrl'), ELASTICSEARCH_URL: inject('elasticsearchUrl'), REDIS_PREFIX: `{${id}}`, ARTICLES_ALIAS: id }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A dead process whose parent is gone keeps its id until the system's first process has noticed. */
async function allGone({ processes }: Line, withinMs = 3000): Promise<void> {
  await vi.waitFor(() => expect(processes.filter(({ pid }) => isAlive(pid))).toEqual([]), { timeout: withinMs, interval: 100 })
}

async function tryUp(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const folder = await newFolder()
  const ran = await run([process.execPath, MAIN, 'up', '--data', folder, '--port', '0', ...args], { env })
  await rm(folder, { recursive: true, force: true })
  return ran
}

describe('copydesk up --json', () => {
  let folder: string
  let up: Up

  beforeAll(async () => {
    folder = await newFolder()
    up = await startUp(folder, { REDIS_URL: '', ELASTICSEARCH_URL: '' })
  })
  afterAll(async () => {
    if (up?.child.exitCode === null) {
      up.child.kill('SIGTERM')
      await up.exit
    }
    await rm(folder, { recursive: true, force: true })
  })

  test('prints one line with every address and every process, its own Redis and Elasticsearch among them', () => {
    expect(up.line.processes.map(({ name }) => name).toSorted()).toEqual([...SERVICES, 'elasticsearch', 'redis'].toSorted())
    expect(up.line.data).toBe(folder)
    expect(up.line.processes.filter(({ pid }) => !isAlive(pid))).toEqual([])
    expect(up.stdout).toHaveLength(1)
  })

  test('every process says that it lives and is ready, and every service has metrics', async () => {
    for (const { name, health } of up.line.processes.filter(({ name }) => SERVICES.includes(name))) {
      const answers = await Promise.all(['/healthz', '/readyz', '/metrics'].map(async (path) => await fetch(new URL(path, health))))
      expect({ name, statuses: answers.map(({ status }) => status) }).toEqual({ name, statuses: [200, 200, 200] })
      expect(await answers[2]?.text()).toContain('# TYPE')
    }
    expect((await fetch(up.line.processes.find(({ name }) => name === 'elasticsearch')?.health ?? '')).status).toBe(200)
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await fetch(up.line.api + path)).status).toBe(200)
  })

  test('what goes in is found by the command line, and in Elasticsearch under the alias `articles`', async () => {
    const cli = cliFor(up.line.api)
    const ingested = await cli(['ingest', '-', '--wait', '--json'], { stdin: articleText(newsArticle(41)) })
    const { results } = z.object({ results: z.array(z.object({ articleId: z.string(), outcome: z.string() })) }).parse(ingested.json())
    expect(results).toMatchObject([{ outcome: 'indexed' }])
    const answer = await fetch(`${up.line.elasticsearch}/articles/_search?q=text:${townOf(41)}&filter_path=hits.hits._id`)
    expect(await answer.json()).toEqual({ hits: { hits: [{ _id: results[0]?.articleId }] } })
  })

  test('a second one on the same folder is refused with the way to end the first', async () => {
    const { code, stdout, stderr } = await run([process.execPath, MAIN, 'up', '--data', folder, '--port', '0'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.trim().split('\n').at(-1)).toBe(
      `copydesk: a system runs on ${folder} already (process ${up.child.pid}, ${up.line.api}): end it with ./copydesk down, or choose another --data`,
    )
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
  })

  test('on SIGTERM it drains, says so, ends with 0 and leaves no process behind', async () => {
    up.child.kill('SIGTERM')
    expect(await up.exit).toBe(0)
    await allGone(up.line)
    expect(up.stdout).toHaveLength(1)
    expect(up.stderr.at(-1)).toBe('copydesk: ended; nothing was left under way')
  })
})

test('services end when their supervisor is gone; the folder can be used again, and `down` ends what runs on it', async () => {
  const folder = await newFolder()
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  const env = sharedStores()
  const first = await startUp(folder, env)
  first.child.kill('SIGKILL')
  await allGone(first.line, 15_000)

  const second = await startUp(folder, env)
  const down = await run([process.execPath, MAIN, 'down', '--data', folder, '--json'])
  expect({ code: down.code, said: down.json() }).toEqual({ code: 0, said: { data: folder, ended: ['up'] } })
  expect(await second.exit).toBe(0)
  await allGone(second.line)
})

test('a taken port is named', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { code, stdout, stderr } = await tryUp(['--port', String(port)], sharedStores())
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr.trim().split('\n').at(-1)).toBe(
    `copydesk: port ${port} on 127.0.0.1 is taken: end what listens there, or choose another with --port`,
  )
})

describe('a wrong environment variable', () => {
  test.each<[variable: string, env: NodeJS.ProcessEnv, cause: RegExp]>([
    ['FETCH_ALLOW_CIDRS', { FETCH_ALLOW_CIDRS: '10.0.0.0/8' }, /write network\/prefix:port/],
    ['RETRY_ATTEMPTS', { RETRY_ATTEMPTS: 'many' }, /a whole number/],
    ['REDIS_PREFIX', { REDIS_PREFIX: 'copydesk' }, /in braces/],
    ['REDIS_URL', { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:1` }, /nothing answers at 127\.0\.0\.1:1/],
    ['ELASTICSEARCH_URL', { ELASTICSEARCH_URL: 'elastic' }, /no address/],
  ])('%s ends `up` with 2 and is named', async (variable, env, cause) => {
    const { code, stdout, stderr } = await tryUp([], { ...sharedStores(), ...env })
    const last = stderr.trim().split('\n').at(-1) ?? ''
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(last).toMatch(/^copydesk: /)
    expect(last).toContain(variable)
    expect(last).toMatch(cause)
    expect(stderr).not.toContain(PASSWORD)
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
  })

  test.each<[service: string, variable: string, env: NodeJS.ProcessEnv]>([
    ['api', 'API_HOST', { API_HOST: '0.0.0.0' }],
    ['api', 'API_OPEN', { API_OPEN: 'yes' }],
    ['api', 'FETCH_ALLOW_CIDRS', { FETCH_ALLOW_CIDRS: '10.0.0.0/8' }],
    ['fetch', 'FETCH_ALLOW_CIDRS', { FETCH_ALLOW_CIDRS: '10.0.0.0/8' }],
    ['clean', 'PARSER_DEADLINE_MS', { PARSER_DEADLINE_MS: 'soon' }],
    ['extract-metadata', 'PARSER_PROCESSES', { PARSER_PROCESSES: '0' }],
    ['index', 'ELASTICSEARCH_URL', { ELASTICSEARCH_URL: `ftp://elastic:${PASSWORD}@127.0.0.1` }],
    ['scheduler', 'ARCHIVE_DIR', { ARCHIVE_DIR: '' }],
    ['scheduler', 'REDIS_URL', { REDIS_URL: `http://reader:${PASSWORD}@127.0.0.1:1` }],
  ])('%s ends with 78 and one line that names %s', async (service, variable, wrong) => {
    const env = { ARCHIVE_DIR: join(tmpdir(), 'copydesk-never-made'), HEALTH_PORT: '0', ...sharedStores(), ...wrong }
    const { code, stderr, stdout } = await run([process.execPath, join(ROOT, 'services', service, 'src/main.ts')], { env })
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 78, lines: 2 })
    expect(stderr).toContain(variable)
    expect(stderr + stdout).not.toContain(PASSWORD)
  })

  test('a HEALTH_PORT that is taken is named', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const env = { ARCHIVE_DIR: join(tmpdir(), 'copydesk-never-made'), ...sharedStores(), HEALTH_PORT: String(port) }
    const { code, stderr } = await run([process.execPath, join(ROOT, 'services/clean/src/main.ts')], { env })
    expect(code).toBe(78)
    expect(stderr).toContain(`HEALTH_PORT=${port}`)
  })
})
