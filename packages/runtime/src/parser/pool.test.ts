import { execFileSync, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CaptureId } from '@copydesk/contracts'
import { PermanentError, RetryableError } from '@copydesk/pipeline'
import { afterEach, expect, test } from 'vitest'
import { createParserPool, type ParserPoolOptions } from './pool.ts'
import type { ParserPool } from './tasks.ts'

const script = fileURLToPath(new URL('./bad-pages.child.ts', import.meta.url))
const captureId = '0190b0a0-0000-7000-8000-000000000000' as CaptureId
const patient = (): AbortSignal => AbortSignal.timeout(20_000)
const pools: ParserPool[] = []

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()))
})

function poolOf(options: Partial<ParserPoolOptions> = {}): {
  run: (way: string, signal?: AbortSignal) => Promise<unknown>
  pool: ParserPool
} {
  const pool = createParserPool({ store: null, size: 1, script, heapMb: 64, ...options })
  pools.push(pool)
  return { pool, run: (way, signal = patient()) => pool.clean({ captureId, way } as never, signal) }
}

const caught = (error: unknown): unknown => error

test('a page on which the parser never ends is ended at the deadline, and the next one is read', async () => {
  const { run, pool } = poolOf({ deadlineMs: 300 })
  const [loop, next] = await Promise.all([run('loop').catch(caught), run('pid')])
  expect(loop).toBeInstanceOf(RetryableError)
  expect(loop).toMatchObject({ code: 'parser-timeout', message: 'the parser worked on this page for more than 300 ms and was ended' })
  expect(next).toBeTypeOf('number')
  expect(pool.stats()).toMatchObject({ overran: 1, died: 0, active: 0, waiting: 0 })
})

test('a catastrophic regular expression is ended like any loop', async () => {
  const { run } = poolOf({ deadlineMs: 300 })
  expect(await run('regex').catch(caught)).toMatchObject({ code: 'parser-timeout' })
})

test('the time that a task waits for its turn does not count', async () => {
  const { run } = poolOf({ deadlineMs: 400 })
  const outcomes = await Promise.all([run('loop').catch(caught), run('loop').catch(caught), run('pid')])
  expect(outcomes.slice(0, 2)).toEqual([
    expect.objectContaining({ code: 'parser-timeout' }),
    expect.objectContaining({ code: 'parser-timeout' }),
  ])
  expect(outcomes[2]).toBeTypeOf('number')
})

test('a heap bomb costs its own page only: tasks beside and behind it finish', async () => {
  const { run, pool } = poolOf({ size: 2 })
  const outcomes = await Promise.all([run('heap').catch(caught), ...Array.from({ length: 12 }, () => run('pid'))])
  expect(outcomes[0]).toMatchObject({ name: 'RetryableError', code: 'parser-died', message: 'the parser ran out of heap on this page' })
  expect(outcomes.slice(1).every((pid) => typeof pid === 'number')).toBe(true)
  expect(pool.stats()).toMatchObject({ died: 1, overran: 0 })
})

test.runIf(process.platform === 'linux')('memory outside the heap is watched too', async () => {
  const { run, pool } = poolOf({ residentMb: 200 })
  expect(await run('buffers').catch(caught)).toMatchObject({ code: 'parser-died', message: expect.stringMatching(/200 MiB/) })
  expect(pool.stats()).toMatchObject({ grown: 1 })
})

test('a child that leaves by itself counts as dead', async () => {
  const { run } = poolOf()
  expect(await run('exit').catch(caught)).toMatchObject({ code: 'parser-died' })
  expect(await run('pid')).toBeTypeOf('number')
})

test('a child that died while idle is no fault of the next page', async () => {
  const { run, pool } = poolOf()
  process.kill((await run('pid')) as number, 'SIGKILL')
  await sleep(200)
  expect(await run('pid')).toBeTypeOf('number')
  expect(pool.stats()).toMatchObject({ died: 0 })
})

test('a page may neither write nor spawn, and sees none of our environment', async () => {
  const { run } = poolOf()
  expect(await run('write').catch(caught)).toMatchObject({
    name: 'RetryableError',
    code: 'internal',
    message: expect.stringMatching(/restricted/),
  })
  expect(await run('spawn').catch(caught)).toMatchObject({ message: expect.stringMatching(/restricted/) })
  const names = (await run('environment')) as string[]
  expect(names.filter((name) => name !== 'TZ' && !name.startsWith('NODE_CHANNEL'))).toEqual([])
})

test('errors keep class and code across the process border', async () => {
  const { run } = poolOf()
  const permanent = await run('permanent').catch(caught)
  expect(permanent).toBeInstanceOf(PermanentError)
  expect(permanent).toMatchObject({ code: 'schema', message: 'not what it should be' })
  const unknown = await run('unknown').catch(caught)
  expect(unknown).toBeInstanceOf(RetryableError)
  expect(unknown).toMatchObject({ code: 'internal', cause: { stack: expect.stringMatching(/bad-pages\.child\.ts/) } })
})

test('an aborted task is given up at once, running or waiting, and its child is ended only if it ran it', async () => {
  const { run } = poolOf()
  const before = await run('pid')
  const [running, waiting] = [new AbortController(), new AbortController()]
  const outcomes = [run('loop', running.signal).catch(caught), run('pid', waiting.signal).catch(caught)]
  waiting.abort(new Error('gave up waiting'))
  expect(await outcomes[1]).toMatchObject({ message: 'gave up waiting' })
  await sleep(100)
  running.abort(new Error('lost the lock'))
  expect(await outcomes[0]).toMatchObject({ message: 'lost the lock' })
  const after = await run('pid')
  expect(after).toBeTypeOf('number')
  expect(after).not.toBe(before)
})

test('a signal to the whole group leaves children to their parent', async () => {
  const { run, pool } = poolOf()
  const pid = (await run('pid')) as number
  process.kill(pid, 'SIGINT')
  process.kill(pid, 'SIGTERM')
  await sleep(100)
  expect(await run('pid')).toBe(pid)
  await pool.close()
  await expect.poll(() => isAlive(pid)).toBe(false)
})

test('closing ends children and tasks, and leaves no process behind', async () => {
  const { run, pool } = poolOf({ size: 2 })
  const pid = (await run('pid')) as number
  const loop = run('loop').catch(caught)
  await sleep(100)
  await pool.close()
  expect(await loop).toMatchObject({ message: expect.stringMatching(/closed/) })
  await expect.poll(() => isAlive(pid)).toBe(false)
  expect(await run('pid').catch(caught)).toMatchObject({ code: 'internal' })
})

test('a program that does not start is named as the fault, not the page', async () => {
  const { run } = poolOf({ script: fileURLToPath(new URL('./no-such.child.ts', import.meta.url)) })
  expect(await run('pid').catch(caught)).toMatchObject({ code: 'internal', message: expect.stringMatching(/does not start/) })
})

test('children end when their parent is killed, one in an endless loop soon after its deadline', async () => {
  const parent = fork(fileURLToPath(new URL('./bad-pages.parent.ts', import.meta.url)), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [idle, looping] = await new Promise<number[]>((resolve) => parent.once('message', (pids) => resolve(pids as number[])))
  expect([idle, looping].map((pid) => isAlive(pid))).toEqual([true, true])
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(idle), { timeout: 3000 }).toBe(false)
  await expect.poll(() => isAlive(looping), { timeout: 10_000 }).toBe(false)
}, 20_000)

/** A child that has ended but was not waited for (its parent is gone) is no process any more. */
function isAlive(pid: number | undefined): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .startsWith('Z')
  } catch {
    return false
  }
}
