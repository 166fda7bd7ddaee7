import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { identify, isAlive } from './process-identity.ts'

test('this process is alive and knows when it started', () => {
  const self = identify(process.pid)!
  expect(self.started).toMatch(/\S/)
  expect(isAlive(self)).toBe(true)
})

test('a process that ended is not alive', async () => {
  const child = spawn('sleep', ['60'])
  const known = identify(child.pid!)!
  expect(isAlive(known)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(known)).toBe(false)
  expect(identify(child.pid!)).toBeNull()
})

test('another process with the same id is not the one that was known', () => {
  expect(isAlive({ pid: process.pid, started: 'long ago' })).toBe(false)
})
