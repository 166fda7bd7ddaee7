import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { CannotRun } from '../local/cannot-run.ts'
import { ROOT } from '../local/repository.ts'

/** The programs that measure, by name. They lie with the tests, whose parts they use. */
const PROGRAMS: Record<string, string> = { faults: 'tests/fault/bench.ts', peers: 'tests/bench/run.ts' }

/** Runs a measuring program with its own arguments, in the foreground. Resolves to its exit code. */
export async function bench(name: string, args: string[]): Promise<number> {
  const program = PROGRAMS[name]
  if (program === undefined)
    throw new CannotRun(`there is nothing called ${name} to measure: choose of ${Object.keys(PROGRAMS).join(', ')}`)
  const child = spawn(process.execPath, [join(ROOT, program), ...args], { cwd: ROOT, stdio: 'inherit' })
  // It ends what it started by itself: this process only waits for that.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  process.on('SIGTERM', pass).on('SIGINT', () => undefined)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
}
