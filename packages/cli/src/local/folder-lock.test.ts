import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { lock, tryLock } from './folder-lock.ts'
import { identify } from './process-identity.ts'
import { testFolder } from '../test-folder.ts'

const path = (): string => join(testFolder('lock'), 'run', 'up.lock')

test('who comes second is told who holds the lock', () => {
  const file = path()
  expect(tryLock(file)).toHaveProperty('release')
  expect(tryLock(file)).toEqual(identify(process.pid))
})

test('a released lock is free again and leaves nothing behind', () => {
  const file = path()
  const held = tryLock(file)
  if ('release' in held) held.release()
  expect(readdirSync(join(file, '..'))).toEqual([])
  expect(tryLock(file)).toHaveProperty('release')
})

test('a lock whose owner is gone is free', async () => {
  const file = path()
  const owner = spawn('sleep', ['60'])
  tryLock(file)
  writeFileSync(file, JSON.stringify(identify(owner.pid!)))
  expect(tryLock(file)).toHaveProperty('pid', owner.pid)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  expect(tryLock(file)).toHaveProperty('release')
})

test('a lock of an earlier process whose id was given out again is free', () => {
  const file = path()
  tryLock(file)
  writeFileSync(file, JSON.stringify({ pid: process.pid, started: 'long ago' }))
  expect(tryLock(file)).toHaveProperty('release')
})

test('a lock file that cannot be read is free', () => {
  const file = path()
  tryLock(file)
  writeFileSync(file, 'half of a li')
  expect(tryLock(file)).toHaveProperty('release')
})

test('waiting for a lock ends when it is released, or at the deadline with the name of its holder', async () => {
  const file = path()
  const held = tryLock(file)
  await expect(lock(file, 150)).rejects.toThrow(`process ${process.pid} has held`)
  setTimeout(() => 'release' in held && held.release(), 50)
  expect(await lock(file, 2000)).toHaveProperty('release')
})
