import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { BackOff } from './back-off.ts'
import { namesOf, type Supervised } from './processes.ts'
import { superviseService } from './supervise-service.ts'
import { testFolder } from '../test-folder.ts'

const READY = `process.send({ ready: true, health: 'http://127.0.0.1:1' }); setInterval(() => {}, 1000)`
let running: Supervised | undefined
afterEach(() => running?.stop(0))

function supervise(
  source: string,
  { env = () => process.env, backOff }: { env?: () => NodeJS.ProcessEnv; backOff?: BackOff } = {},
): { part: Supervised; notices: string[]; fatal: Error[]; logFile: string } {
  const folder = testFolder('supervise')
  const script = join(folder, 'main.mjs')
  const logFile = join(folder, 'logs', 'fetch.log')
  writeFileSync(script, source)
  const notices: string[] = []
  const fatal: Error[] = []
  const events = { notice: (line: string) => notices.push(line), fatal: (error: Error) => fatal.push(error) }
  running = superviseService({ name: 'fetch', script, env, logFile }, events, backOff)
  return { part: running, notices, fatal, logFile }
}

test('a service counts as ready once it says so, with the address of its health', async () => {
  const { part } = supervise(READY)
  expect(part.info()).toEqual({ name: 'fetch', pid: expect.any(Number), health: null })
  await part.ready()
  expect(part.info().health).toBe('http://127.0.0.1:1')
})

test('a killed service is started again and ready anew', async () => {
  const { part, notices } = supervise(READY)
  await part.ready()
  const { pid } = part.info()
  part.kill('SIGKILL')
  await part.ready()
  expect(part.info().pid).not.toBe(pid)
  expect(notices).toEqual([expect.stringMatching(/^fetch ended \(SIGKILL\); it starts again in 0.5 s, its log is .*fetch.log$/)])
})

test('the environment is asked for at each start, and the wait may be a constant', async () => {
  let lives = 0
  const env = () => ({ ...process.env, LIFE: String((lives += 1)) })
  const source = `console.log('life ' + process.env.LIFE); ${READY}`
  const { part, notices, logFile } = supervise(source, { env, backOff: { next: () => 20 } })
  await part.ready()
  part.kill('SIGKILL')
  await part.ready()
  await vi.waitFor(() => expect(readFileSync(logFile, 'utf8')).toBe('life 1\nlife 2\n'))
  expect(notices[0]).toContain('starts again in 0.02 s')
})

test('instances of a service have names of their own', () => {
  const names = namesOf({ fetch: 2 }).map(({ name, service }) => `${service}: ${name}`)
  expect(names.slice(0, 4)).toEqual(['scheduler: scheduler', 'fetch: fetch', 'fetch: fetch-2', 'clean: clean'])
})

test('a restart that was asked for is no accident', async () => {
  const { part, notices } = supervise(READY)
  await part.ready()
  const { pid } = part.info()
  await part.restart()
  expect(part.info().pid).not.toBe(pid)
  expect(notices).toEqual([])
})

test('a wrong configuration is told in the words of the service, which is not started again', async () => {
  const { part, fatal } = supervise(`console.error('starting'); console.error('FETCH_LIMIT: "x" is no number'); process.exitCode = 78`)
  await expect(part.ready()).rejects.toThrow('FETCH_LIMIT: "x" is no number')
  expect(fatal).toHaveLength(1)
  expect(part.info().pid).toBeNull()
})

test('a service that never comes up is given up after three deaths, with the end of its log', async () => {
  const { part, notices } = supervise(`throw new Error('no such module')`)
  await expect(part.ready()).rejects.toThrow(/ended 3 times as it started[^]*no such module/)
  expect(notices).toHaveLength(2)
})

test('both outputs of a service go to its log', async () => {
  const { part, logFile } = supervise(`console.log('{"msg":"out"}'); console.error('err'); ${READY}`)
  await part.ready()
  await vi.waitFor(() => expect(readFileSync(logFile, 'utf8').trim().split('\n').toSorted()).toEqual(['err', '{"msg":"out"}']))
})

test('a service that does not drain in time is killed', async () => {
  const { part } = supervise(`process.on('SIGTERM', () => {}); ${READY}`)
  await part.ready()
  const pid = part.info().pid!
  await part.stop(100)
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})
