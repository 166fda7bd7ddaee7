import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, ROOT } from '@copydesk/cli'
import { connectRedis, redisReady } from '@copydesk/queue'

/** A Redis of a drill's own, which can be killed, cut back, filled and wiped. */
export interface DrillRedis {
  port: number
  password: string
  /** A connection past the proxy, for the drill itself. Its commands wait while Redis is away. */
  direct: ReturnType<typeof connectRedis>
  pid(): number
  /** `kill -9`; resolves once it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  /** While it is away: takes from its file what was written after that moment (ms since 1970). Resolves to the bytes that went. */
  cutBack(toMs: number): number
  /** While it is away: takes its data away. */
  wipe(): void
  stop(): Promise<void>
}

/** Starts a Redis with the product's own configuration, a password, and times in its file. `folder` is its data folder; the log lies elsewhere, since its disk may be full. */
export async function startDrillRedis(folder: string, password: string, logFile: string): Promise<DrillRedis> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const program = execFileSync(join(ROOT, 'infra/local/redis-server'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  let child: ChildProcess | null = null
  const direct = connectRedis(`redis://:${password}@127.0.0.1:${port}`, 'worker', () => undefined)

  async function start(): Promise<void> {
    const own = { port, bind: '127.0.0.1', dir: folder, daemonize: 'no', requirepass: password }
    const drills = { 'aof-timestamp-enabled': 'yes', 'enable-debug-command': 'yes' }
    const args = Object.entries({ ...own, ...drills }).flatMap(([name, value]) => [`--${name}`, String(value)])
    const log = openSync(logFile, 'a')
    child = spawn(program, [join(ROOT, 'infra/redis.conf'), ...args], { detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    while (!(await redisReady(direct, 5000)) || (await direct.ping().catch(() => '')) !== 'PONG') await sleep(20)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = child
    child = null
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill(signal)
    await gone
  }

  const aof = join(folder, 'appendonlydir')
  await start()
  return {
    port,
    password,
    direct,
    pid: () => child?.pid ?? 0,
    kill: async () => await end('SIGKILL'),
    start,
    cutBack(toMs) {
      const last = readdirSync(aof)
        .filter((name) => name.endsWith('.incr.aof'))
        .toSorted((a, b) => sequence(a) - sequence(b))
        .at(-1)!
      const path = join(aof, last)
      const at = offsetOf(readFileSync(path), toMs)
      const { size } = statSync(path)
      if (at !== null) truncateSync(path, at)
      return at === null ? 0 : size - at
    },
    wipe: () => rmSync(aof, { recursive: true, force: true }),
    stop: async () => {
      direct.disconnect()
      await end('SIGTERM')
    },
  }
}

const sequence = (name: string): number => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? 0)

/** Where the first time note after that moment begins: Redis writes `#TS:<seconds>` before what was done in a second. */
function offsetOf(file: Buffer, toMs: number): number | null {
  for (let at = file.indexOf('#TS:'); at !== -1; at = file.indexOf('#TS:', at + 4)) {
    const seconds = Number(file.subarray(at + 4, file.indexOf('\r', at)).toString('latin1'))
    if (seconds * 1000 > toMs) return at
  }
  return null
}
