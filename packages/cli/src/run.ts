import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { CannotRun } from './local/cannot-run.ts'
import { DEFAULT_DATA, ROOT } from './local/repository.ts'

/** Exit codes: all done, some of it failed, could not run. */
export const DONE = 0
export const SOME_FAILED = 1
export const COULD_NOT_RUN = 2

/** Runs the command that `argv` (as in process.argv) names. Resolves to the exit code; what went wrong is one line on stderr. */
export async function run(argv: string[]): Promise<number> {
  let exitCode: number = DONE
  try {
    await program((code) => (exitCode = code)).parseAsync(argv)
    return exitCode
  } catch (error) {
    // Commander has printed its own line by then; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : COULD_NOT_RUN
    if (error instanceof CannotRun) {
      console.error(`copydesk: ${error.message}`)
      return COULD_NOT_RUN
    }
    throw error
  }
}

/** The commands. Each action imports its file only when it runs: `--version` and `--help` load none of them. */
function program(finish: (code: number) => void): Command {
  const copydesk = new Command('copydesk')
    .description('Takes in news pages, keeps the article of each, and makes them searchable.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'explain the command')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'copydesk: ')) })
    .showSuggestionAfterError(false)
    .addHelpText('after', '\nExit codes: 0 done, 1 some of it failed, 2 could not run.')

  copydesk
    .command('up')
    .description('run every service on this machine until Ctrl-C')
    .option('--data <folder>', 'where everything is kept', DEFAULT_DATA)
    .option('--port <port>', "the API's port; 0 for any free one", port, usualPort(process.env['API_PORT']))
    .option('--json', 'print one line of JSON when all is ready')
    .action(async (options) => finish(await (await import('./commands/up.ts')).up(options)))

  copydesk
    .command('down')
    .description('end the system that runs on the data folder')
    .option('--data <folder>', 'where everything is kept', DEFAULT_DATA)
    .option('--json', 'print what was ended as JSON')
    .action(async (options) => finish(await (await import('./commands/down.ts')).down(options)))

  return copydesk
}

function port(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= 65_535) return number
  throw new InvalidArgumentError(`${text} is no port: give a number from 0 to 65535.`)
}

function usualPort(given: string | undefined): number {
  if (!given) return 8080
  try {
    return port(given)
  } catch (error) {
    throw new CannotRun(`API_PORT: ${(error as Error).message}`)
  }
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  return text
}
