import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { COULD_NOT_RUN, DONE } from './exit-codes.ts'
import { CannotRun } from './local/cannot-run.ts'
import { DEFAULT_DATA, ROOT } from './local/repository.ts'

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
    // By name: importing their classes would load what `--help` does without.
    if (error instanceof Error && (error.name === 'Refused' || error.name === 'ConfigError')) {
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
    .helpOption('-h, --help', 'explain the command')
    .exitOverride()
    .configureOutput({
      // One line, suggestion and all.
      outputError: (text, write) => write(text.replace(/^error: /, 'copydesk: ').replace('\n(', ' (')),
    })
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

  addClients(copydesk, finish)
  addFailures(copydesk, finish)
  addTasks(copydesk, finish)
  addLocal(copydesk, finish)
  return copydesk
}

/** The clients of a running system's API. */
function addClients(copydesk: Command, finish: (code: number) => void): void {
  copydesk
    .command('ingest')
    .description('take in addresses, files, folders, or standard input (-)')
    .argument('<input...>', 'https://…, a file, a folder, or -')
    .option('--url <address>', 'the address of the one file (or standard input) given')
    .option('--title <text>', 'a hint: used where the page is silent, for every input given')
    .option('--published <date>', 'a hint, such as 2026-03-07 or 2026-03-07T09:30:00+01:00')
    .option('--author <name>', 'a hint: one name')
    .option('--language <code>', 'a hint, such as en or pt-BR')
    .option('--tags <list>', 'hints, separated by commas')
    .option('--wait', 'follow them until each has an outcome and can be searched for')
    .option('--json', 'print the results as JSON')
    .action(async (inputs, options) => finish(await (await import('./commands/ingest.ts')).ingest(inputs, options)))

  copydesk
    .command('search')
    .description('search the articles; without words, the newest')
    .argument('[word...]', 'words, "phrases", -without, a | b, prefix*')
    // `-without` is a word of the search, not an option.
    .allowUnknownOption()
    .option('--size <number>', 'how many to show, 100 at most', wholeNumber, 10)
    .option('--from <number>', 'how many to pass over', wholeNumber, 0)
    .option('--json', 'print {total, articles} as JSON')
    .action(async (words, options) => finish(await (await import('./commands/search.ts')).search(words, options)))

  copydesk
    .command('status')
    .description('show queues, outcomes, and whether the sums add up')
    .option('--json', 'print it as JSON')
    .action(async (options) => finish(await (await import('./commands/status.ts')).status(options)))

  copydesk
    .command('trace')
    .description('say where a capture, or the last captures of an address, went')
    .argument('<id-or-url>')
    .option('--json', 'print it as JSON')
    .action(async (what, options) => finish(await (await import('./commands/trace.ts')).trace(what, options)))
}

/** The clients that look after dead letters. */
function addFailures(copydesk: Command, finish: (code: number) => void): void {
  copydesk
    .command('failures')
    .description('list the dead letters, oldest first; with an id, the whole cause and trail of one')
    .argument('[id]', "a dead letter's captureId")
    .option('--size <number>', 'how many to list, 1000 at most', wholeNumber, 50)
    .option('--json', 'print them as JSON')
    .action(async (id, options) => finish(await (await import('./commands/failures.ts')).failures(id, options)))

  for (const [name, what] of [
    ['retry', 'put a dead letter under way again, where it failed'],
    ['dismiss', 'lay a dead letter aside: it is counted as dismissed'],
  ] as const)
    copydesk
      .command(name)
      .description(what)
      .argument('[id]', "a dead letter's captureId")
      .option('--all', 'all that there are now; without --yes only say how many')
      .option('--yes', 'do it')
      .option('--json', 'print what was done as JSON')
      .action(async (id, options) => finish(await (await import('./commands/settle.ts')).settle(name, id, options)))
}

/** The clients that put a store right from the archive. */
function addTasks(copydesk: Command, finish: (code: number) => void): void {
  copydesk
    .command('recover')
    .description('fill a Redis that was lost again from the archive; without --yes only say what it would do')
    .option('--yes', 'do it')
    .option('--json', 'print the result as JSON')
    .action(async (options) => finish(await (await import('./commands/recover.ts')).recover(options)))

  copydesk
    .command('audit')
    .description('compare every article record of the archive with what Elasticsearch holds')
    .option('--repair', 'write what is missing or old; without --yes only say what it would do')
    .option('--yes', 'do it')
    .option('--json', 'print the result as JSON')
    .action(async (options) => finish(await (await import('./commands/audit.ts')).audit(options)))
}

/** What acts on this machine and needs no running system. */
function addLocal(copydesk: Command, finish: (code: number) => void): void {
  copydesk
    .command('try')
    .description('run the stages on one page in this process, and print the article')
    .argument('<input>', 'https://…, a file, or -')
    .option('--url <address>', 'the address of the file (or standard input) given')
    .option('--json', 'print {article} or {refused} as JSON')
    .action(async (what, options) => finish(await (await import('./commands/try.ts')).tryPage(what, options)))

  copydesk
    .command('demo')
    .description('start a system of its own, ingest a small news site and a text, and search them')
    .option('--exit', 'end when the search is printed')
    .option('--json', 'print the search as JSON')
    .action(async (options) => finish(await (await import('./commands/demo.ts')).demo(options)))

  copydesk
    .command('test')
    .description('run every check and every test, with services of their own')
    .argument('[project...]', 'only these: unit, integration, compose')
    .option('--json', 'print {passed, failed} as JSON')
    .action(async (projects, options) => finish(await (await import('./commands/test.ts')).test(projects, options)))

  copydesk
    .command('bench')
    .description('measure, and print a table: `faults` breaks everything in turn under load, `peers` does so to what people run instead')
    .argument('<what>', 'faults or peers')
    .argument('[argument...]', 'its own; --help shows them')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (what, args) => finish(await (await import('./commands/bench.ts')).bench(what, args)))
}

function port(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= 65_535) return number
  throw new InvalidArgumentError(`${text} is no port: give a number from 0 to 65535.`)
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`${text} is no whole number.`)
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
