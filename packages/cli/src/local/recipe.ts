import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { CannotRun } from './cannot-run.ts'
import { ROOT } from './repository.ts'

/**
 * Runs a script of infra/local/ and returns the line that it prints; its progress goes to `log`.
 * Throws CannotRun with the script's sentence about what is missing and the cure.
 */
export async function recipe(name: string, args: string[], log: (line: string) => void): Promise<string> {
  const child = spawn(join(ROOT, 'infra/local', name), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let reason = `infra/local/${name} failed: run it by hand to see why`
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('error: ')) reason = line.slice('error: '.length)
    else log(line)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new CannotRun(reason)
  return printed.trim()
}
