import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DONE, SOME_FAILED } from '../exit-codes.ts'
import { CannotRun } from '../local/cannot-run.ts'
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
  const report = join(LOCAL, 'test-report.json')
  mkdirSync(LOCAL, { recursive: true })
  rmSync(report, { force: true })
  const chosen = projects.flatMap((project) => ['--project', project])
  const status = await runTool('vitest', ['run', ...chosen, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
  const counts = readReport(report)
  passed += counts.passed
  failed += counts.failed
  // A run that failed without a failed test (a suite that could not be loaded, an unhandled error) is one failure.
  if (status !== 0 && counts.failed === 0) failed += 1
  console.log(options.json ? JSON.stringify({ passed, failed }) : `${passed} passed, ${failed} failed`)
  return failed === 0 ? DONE : SOME_FAILED
}

function readReport(path: string): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests } = Report.parse(JSON.parse(readFileSync(path, 'utf8')))
    return { passed: numPassedTests, failed: numFailedTests }
  } catch {
    return { passed: 0, failed: 0 }
  }
}

/** Runs a tool of the repository; what it prints goes to standard error, so that standard output has the result alone. */
async function runTool(tool: string, args: readonly string[]): Promise<number> {
  const child = spawn(join(ROOT, 'node_modules/.bin', tool), args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
