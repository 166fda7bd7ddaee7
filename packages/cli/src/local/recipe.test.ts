import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { bareTools } from './bare-tools.ts'
import { CannotRun } from './cannot-run.ts'
import { recipe } from './recipe.ts'
import { testFolder } from '../test-folder.ts'

afterEach(() => vi.unstubAllEnvs())

function bareMachine(): void {
  vi.stubEnv('PATH', bareTools())
  vi.stubEnv('HOME', testFolder('home'))
  vi.stubEnv('JAVA_HOME', undefined)
}

test('a machine without a JDK is told in one sentence what to install and set', async () => {
  bareMachine()
  vi.stubEnv('COPYDESK_JVMS', '/nowhere')
  const lines: string[] = []
  await expect(recipe('java-home', [], (line) => lines.push(line))).rejects.toThrow(
    new CannotRun(
      'no JDK of 21 or newer, which the local Elasticsearch runs on: install one and set JAVA_HOME, or set ELASTICSEARCH_URL to a running Elasticsearch 9',
    ),
  )
  expect(lines).toEqual([])
})

test('a machine without Maven or a packager is told to install Maven', async () => {
  bareMachine()
  await expect(recipe('install-package', ['mvn', 'maven'], () => {})).rejects.toThrow(
    "there is no mvn on PATH: install it (maven, in Debian's names) and run this again",
  )
})

test('the first JDK that is new enough and whole is taken', async () => {
  bareMachine()
  const jvms = testFolder('jvms')
  vi.stubEnv('COPYDESK_JVMS', jvms)
  jdk(join(jvms, '1-old'), '17.0.15', 'java.base jdk.incubator.vector')
  jdk(join(jvms, '2-slim'), '25.0.3', 'java.base')
  jdk(join(jvms, '3-good'), '21', 'java.base jdk.incubator.vector')
  expect(await recipe('java-home', [], () => {})).toBe(join(jvms, '3-good'))
})

function jdk(home: string, version: string, modules: string): void {
  mkdirSync(join(home, 'bin'), { recursive: true })
  writeFileSync(join(home, 'bin/javac'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(home, 'release'), `JAVA_VERSION="${version}"\nMODULES="${modules}"\n`)
}
