import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CannotRun } from '../local/cannot-run.ts'
import { logTail, openLog } from '../local/log-file.ts'
import { type BackOff, backOff } from './back-off.ts'
import { latch } from './latch.ts'
import { isDeadly, type Supervised, type SupervisionEvents } from './processes.ts'

/** A service's exit code for a wrong configuration (EX_CONFIG of sysexits.h). */
const MISCONFIGURED = 78
/** So many deaths before it was ever ready are no accident. */
const HOPELESS = 3

/** What a service sends over IPC when it is ready. */
const Ready = z.object({ ready: z.literal(true), health: z.string() })

export interface ServiceSpec {
  /** Unique in the system. */
  name: string
  /** The service's main.ts. */
  script: string
  /** Its environment, asked for at each start. */
  env: () => NodeJS.ProcessEnv
  logFile: string
}

/** Runs a service as a process of its own and starts it again when it dies. It ends by itself when this process is gone: its IPC channel closes. */
export function superviseService(spec: ServiceSpec, events: SupervisionEvents, { next: nextWait }: BackOff = backOff()): Supervised {
  let child: ChildProcess | null = null
  let health: string | null = null
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let wanted = false
  let wasReady = false
  let deaths = 0
  let ready = latch()

  function start(): void {
    const startedAt = Date.now()
    const run = spawnService(spec)
    child = run.process
    run.process.on('message', (message) => {
      const told = Ready.safeParse(message)
      if (!told.success) return
      health = told.data.health
      wasReady = true
      ready.open()
    })
    run.process.once('exit', (code, signal) => {
      child = null
      health = null
      if (stopping) return
      deaths += 1
      if (code === MISCONFIGURED) void refused(run)
      else if (!wasReady && deaths === HOPELESS) hopeless()
      else startLater(Date.now() - startedAt, signal ?? `exit code ${code}`)
    })
  }

  function startLater(livedMs: number, how: string): void {
    if (ready.isOpen()) ready = latch()
    const wait = wanted ? 0 : nextWait(livedMs)
    if (!wanted) events.notice(`${spec.name} ended (${how}); it starts again in ${wait / 1000} s, its log is ${spec.logFile}`)
    wanted = false
    timer = setTimeout(start, wait)
  }

  function giveUp(error: CannotRun): void {
    ready.fail(error)
    events.fatal(error)
  }

  function hopeless(): void {
    giveUp(
      new CannotRun(
        `${spec.name} ended ${HOPELESS} times as it started; its log is ${spec.logFile} and ends with:\n${logTail(spec.logFile)}`,
      ),
    )
  }

  async function refused(run: Run): Promise<void> {
    giveUp(new CannotRun((await run.lastLine()) || `${spec.name} refuses its configuration: see ${spec.logFile}`))
  }

  start()
  return {
    name: spec.name,
    info: () => ({ name: spec.name, pid: child?.pid ?? null, health }),
    ready: () => ready.opened(),
    kill(signal) {
      if (isDeadly(signal) && ready.isOpen()) ready = latch()
      child?.kill(signal)
    },
    async restart() {
      const running = child
      if (running) {
        wanted = true
        if (ready.isOpen()) ready = latch()
        running.kill('SIGTERM')
        await ended(running, 15_000)
      }
      await ready.opened()
    },
    async stop(drainMs) {
      stopping = true
      clearTimeout(timer)
      const running = child
      if (!running) return
      running.kill(drainMs > 0 ? 'SIGTERM' : 'SIGKILL')
      await ended(running, drainMs)
    },
  }
}

interface Run {
  process: ChildProcess
  lastLine: () => Promise<string>
}

async function ended(process: ChildProcess, withinMs: number): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const force = setTimeout(() => process.kill('SIGKILL'), withinMs)
  await new Promise((resolve) => process.once('exit', resolve))
  clearTimeout(force)
}

function spawnService({ script, env, logFile }: ServiceSpec): Run {
  const log = openLog(logFile)
  const child = spawn(process.execPath, [script], {
    env: env(),
    // Ctrl-C reaches the whole foreground group: a session of its own leaves the order of ending to this process.
    detached: true,
    stdio: ['ignore', log, 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (bytes: Buffer) => {
    writeSync(log, bytes)
    said = (said + bytes.toString('utf8')).slice(-4096)
  })
  // `exit` may come before the last words; `close` comes after them, but waits for grandchildren too.
  const closed = new Promise<void>((resolve) => child.once('close', resolve))
  void closed.then(() => closeSync(log))
  const lastLine = async (): Promise<string> => {
    await Promise.race([closed, sleep(1000)])
    return said.trimEnd().split('\n').at(-1) ?? ''
  }
  return { process: child, lastLine }
}
