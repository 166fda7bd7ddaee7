import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { parseKillAt } from './failpoints.ts'

test('a failpoint is named with its side, and which pass of it', () => {
  expect(parseKillAt('sync.raw:after@3')).toEqual({ name: 'sync.raw', side: 'after', pass: 3 })
  expect(parseKillAt('hand-over:before')).toEqual({ name: 'hand-over', side: 'before', pass: 1 })
})

test.each(['sync.raw', 'sync.everything:after', 'bulk:during', 'bulk:after@0', ''])('%j is none', (text) => {
  expect(() => parseKillAt(text)).toThrow('such as sync.raw:after@3')
})

test('an armed process is killed at that pass, and not before', () => {
  const script = `
    import { failpoint } from '@copydesk/pipeline'
    import { armKill } from './failpoints.ts'
    armKill({ name: 'bulk', side: 'after', pass: 2 })
    for (const text of ['one', 'two']) {
      failpoint('bulk', 'before')
      process.stdout.write(text)
      failpoint('bulk', 'after')
    }
    process.stdout.write('lived')`
  const ran = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: import.meta.dirname, encoding: 'utf8' })
  expect({ signal: ran.signal, said: ran.stdout }).toEqual({ signal: 'SIGKILL', said: 'onetwo' })
})
