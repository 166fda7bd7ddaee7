import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bareTools } from './local/bare-tools.ts'
import { ROOT } from './local/repository.ts'
import { testFolder } from './test-folder.ts'

const CURE = 'install Node 24.12 or newer (but below 25) and put it first on PATH'

/** The script alone, in a checkout of its own. */
function checkout(): string {
  const folder = testFolder('checkout')
  copyFileSync(join(ROOT, 'copydesk'), join(folder, 'copydesk'))
  return join(folder, 'copydesk')
}

function command(path: string, name: string, body: string): void {
  writeFileSync(join(path, name), `#!/bin/sh\n${body}\n`)
  chmodSync(join(path, name), 0o755)
}

function run(script: string, path: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(script, ['--version'], { env: { PATH: path }, encoding: 'utf8', cwd: tmpdir() })
  return { status, stdout, stderr }
}

test('without Node and npm it names both and the cure', () => {
  const stderr = `copydesk: there is no Node on PATH and there is no npm to get Node 24 with: ${CURE}\n`
  expect(run(checkout(), bareTools())).toEqual({ status: 2, stdout: '', stderr })
})

test.each(['v20.20.2', 'v24.11.1', 'v25.0.0'])('Node %s alone does not do', (version) => {
  const path = bareTools()
  command(path, 'node', `echo ${version}`)
  const stderr = `copydesk: this machine's Node is ${version} and there is no npm to get Node 24 with: ${CURE}\n`
  expect(run(checkout(), path)).toEqual({ status: 2, stdout: '', stderr })
})

test('a platform for which npm has no Node is named', () => {
  const path = bareTools()
  command(path, 'npm', 'exit 1')
  // The link to the real one goes away with its folder's entry.
  spawnSync('rm', [join(path, 'uname')])
  command(path, 'uname', 'case $1 in -s) echo Plan9 ;; *) echo mips ;; esac')
  const stderr = `copydesk: no Node 24 is published on npm for Plan9 on mips: ${CURE}\n`
  expect(run(checkout(), path)).toEqual({ status: 2, stdout: '', stderr })
})

test('an npm that reaches no registry is told with its code', () => {
  const path = bareTools()
  command(path, 'npm', 'echo "npm error code ENOTFOUND" >&2; exit 1')
  const { status, stderr } = run(checkout(), path)
  expect(status).toBe(2)
  expect(stderr.split('\n')[1]).toMatch(/^copydesk: npm could not get Node 24 \(ENOTFOUND in .*npm\.log\): check the network/)
})

test('a lock that a killed installation left behind is removed', () => {
  const script = checkout()
  const local = join(script, '../.local')
  mkdirSync(join(local, 'install.lock'), { recursive: true })
  const gone = spawnSync('true').pid
  writeFileSync(join(local, 'install.lock', 'pid'), `${gone}\n`)
  const { status, stderr } = run(script, bareTools())
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('there is no Node on PATH') })
})

test('it runs from any folder, through a symlink, and says nothing of its own', () => {
  const link = join(testFolder('link'), 'desk')
  symlinkSync(join(ROOT, 'copydesk'), link)
  // The first run may have packages to install, and says so.
  spawnSync(link, ['--version'], { cwd: tmpdir() })
  const { status, stdout, stderr } = spawnSync(link, ['--version'], { encoding: 'utf8', cwd: tmpdir() })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
})
