import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { z } from 'zod'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'
import { recipe } from '../local/recipe.ts'
import { LOCAL, ROOT } from '../local/repository.ts'

const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numFailedTestSuites: z.int(),
  success: z.boolean(),
})

const PROJECTS = ['unit', 'integration', 'compose']

/** The checks that are no tests: each counts as one. */
const CHECKS = {
  format: ['oxfmt', '--check', '.'],
  lint: ['oxlint', '--type-aware'],
  types: ['tsc', '-p', '.'],
  'dead code': ['knip'],
} as const

/** Every check and every test, with real services set up for them. The last line is `N passed, N failed`. Resolves to the exit code. */
export async function test(projects: string[], options: { json?: boolean }): Promise<number> {
  const unknown = projects.find((project) => !PROJECTS.includes(project))
  if (unknown !== undefined) throw new CannotRun(`there are no ${unknown} tests: choose of ${PROJECTS.join(', ')}`)
  let [passed, failed] = [0, 0]
  if (projects.length === 0) {
    for (const [name, [tool, ...args]] of Object.entries(CHECKS)) {
      const ok = (await runTool(tool, args)) === 0
      console.error(`${ok ? 'passed' : 'FAILED'}: ${name}`)
      if (ok) passed += 1
      else failed += 1
    }
  }
  const add = (counts: Counts): void => {
    passed += counts.passed
    failed += counts.failed
  }
  add(await runVitest(projects.flatMap((project) => ['--project', project])))
  if (projects.length === 0) add(await runOnRedis8())
  console.log(options.json ? JSON.stringify({ passed, failed }) : `${passed} passed, ${failed} failed`)
  return failed === 0 ? DONE : SOME_FAILED
}

interface Counts {
  passed: number
  failed: number
}

async function runVitest(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Counts> {
  const report = join(LOCAL, 'test-report.json')
  mkdirSync(LOCAL, { recursive: true })
  rmSync(report, { force: true })
  const status = await runTool('vitest', ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], env)
  const { passed, failed } = readReport(report)
  // A run that failed without a failed test (a suite that could not be loaded, an unhandled error) is one failure.
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed }
}

/** What touches Redis, once more on the newest Redis: compose runs that, Debian's package is years older. */
const ON_REDIS = ['registry', 'registry-model', 'keeper', 'runner', 'recover', 'failures']

async function runOnRedis8(): Promise<Counts> {
  const log = (line: string): void => console.error(line)
  const found = await recipe('redis-8', [], log).catch((error: unknown) => {
    if (!(error instanceof CannotRun)) throw error
    log(`skipped: the tests on a Redis 8: ${error.message}`)
    return null
  })
  if (found === null) return { passed: 0, failed: 0 }
  log('the tests of Redis once more, on a Redis 8')
  const files = ON_REDIS.map((name) => `tests/integration/${name}.test.ts`)
  const env = { PATH: `${dirname(found)}${delimiter}${process.env['PATH'] ?? ''}`, REDIS_URL: '', COPYDESK_TEST_STORES: 'test-redis-8' }
  return await runVitest(['--project', 'integration', ...files], env)
}

function readReport(path: string): Counts {
  try {
    const { numPassedTests, numFailedTests } = Report.parse(JSON.parse(readFileSync(path, 'utf8')))
    return { passed: numPassedTests, failed: numFailedTests }
  } catch {
    return { passed: 0, failed: 0 }
  }
}

/** Runs a tool of the repository; what it prints goes to standard error, so that standard output has the result alone. */
async function runTool(tool: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(join(ROOT, 'node_modules/.bin', tool), args, { cwd: ROOT, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } })
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
