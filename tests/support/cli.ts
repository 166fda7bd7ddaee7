import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '@copydesk/cli'

/** What a command did. */
export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  /** Standard output as the JSON that it must be. */
  json: () => unknown
}

export interface CliOptions {
  stdin?: string | Uint8Array
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
}
export type Cli = (args: string[], options?: CliOptions) => Promise<Ran>

/** The command line's program, as ./copydesk runs it. */
export const MAIN: string = join(ROOT, 'packages/cli/src/main.ts')

/** The command line as a client of an API. */
export function cliFor(api: string): Cli {
  return async (args, options = {}) =>
    await run([process.execPath, MAIN, ...args], { ...options, env: { COPYDESK_URL: api, ...options.env } })
}

/** Runs a program to its end; `env` comes on top of this process's. */
export async function run([file = '', ...args]: string[], { stdin, env = {}, cwd, uid }: CliOptions = {}): Promise<Ran> {
  const child = spawn(file, args, { env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }), ...(uid !== undefined && { uid }) })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A program that ends without reading is no failure of the test's.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout, stderr, json: () => JSON.parse(stdout) }
}
