import { CannotRun } from '../local/cannot-run.ts'
import type { System } from '../system/start-system.ts'
import { startSystem } from '../system/start-system.ts'

export interface UpOptions {
  data: string
  port: number
  json?: boolean
}

/** Runs every service on this machine until it is told to end. Resolves to the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const say = (line: string): void => console.error(`copydesk: ${line}`)
  const interrupted = new AbortController()
  const asked = askedToEnd((times) => {
    if (times > 1) process.exit(130)
    say('interrupted: ending what was started')
    interrupted.abort(new CannotRun('interrupted before everything was ready'))
  })
  say('starting Redis, Elasticsearch and the services')
  const { data: folder, port } = options
  const system = await startSystem({ folder, port, env: process.env, notice: say, signal: interrupted.signal })
  const ended = asked.next()
  if (options.json) console.log(JSON.stringify(describe(system)))
  else printAddresses(system)

  const failure = await Promise.race([system.failed, ended.then(() => null)])
  if (failure) {
    await system.stop({ force: true })
    throw failure
  }
  say('ending: no new work is taken; what is in hand has ten seconds (Ctrl-C again to force)')
  void asked.next().then(() => system.stop({ force: true }))
  sayWhatIsLeft(await system.stop(), say)
  return 0
}

/** SIGINT and SIGTERM, to `early` until somebody waits for the next one. */
function askedToEnd(early: (times: number) => void): { next: () => Promise<void> } {
  let waiting: (() => void) | null = null
  let times = 0
  const asked = (): void => {
    times += 1
    if (waiting) waiting()
    else early(times)
  }
  process.on('SIGINT', asked).on('SIGTERM', asked).on('SIGHUP', asked)
  return { next: () => new Promise((resolve) => (waiting = resolve)) }
}

/** What `up --json` prints: scripts rely on it. */
function describe({ api, elasticsearch, redis, data, processes }: System): object {
  return { api, elasticsearch, redis, data, processes: processes() }
}

function printAddresses({ api, elasticsearch, redis, data }: System): void {
  console.log(`Copydesk is ready.
  API            ${api}
  Elasticsearch  ${elasticsearch}
  Redis          ${withoutPassword(redis)}
  data           ${data} (archive/, logs/ and what Redis and Elasticsearch keep)
Ctrl-C ends it; nothing that was accepted is lost.
In another terminal, where another data folder or port is in use: export COPYDESK_URL=${api}`)
}

function withoutPassword(address: string): string {
  const url = new URL(address)
  if (url.password) url.password = '…'
  return url.href
}

function sayWhatIsLeft(left: number | null, say: (line: string) => void): void {
  if (left === null) say('ended; captures that were under way go on at the next start')
  else if (left === 0) say('ended; nothing was left under way')
  else
    say(
      `ended; ${left} ${left === 1 ? 'capture is' : 'captures are'} still under way and ${left === 1 ? 'goes' : 'go'} on at the next start`,
    )
}
