import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CannotRun } from './cannot-run.ts'
import { lock } from './folder-lock.ts'
import { freePort, isFree } from './free-port.ts'
import { logTail, openLog } from './log-file.ts'
import { identify, isAlive } from './process-identity.ts'

/** What differs between Redis and Elasticsearch. */
export interface Recipe {
  name: 'redis' | 'elasticsearch'
  /** The program that serves `port` and keeps its data in `folder`; installs what is missing, and tells `log` so. */
  command: (folder: string, port: number, log: (line: string) => void) => Promise<{ file: string; args: string[] }>
  /** Whether the service on `port` answers and keeps its data in `folder`. */
  isReady: (folder: string, port: number) => Promise<boolean>
  url: (port: number) => string
}

export interface LocalOptions {
  /** The data folder: the service's own folder, its log and its state file lie in it. */
  folder: string
  /** Told in short lines what takes time. */
  log: (line: string) => void
  /** Insists on this port instead of the last or any free one: for a restart under clients that know the address. */
  port?: number
}

/** A local service that answers. `started` is false where it ran already. */
export interface LocalService {
  url: string
  port: number
  pid: number
  started: boolean
}

const State = z.object({ pid: z.int(), started: z.string().nullable(), port: z.int() })
type State = z.infer<typeof State>

const READY_MS = 120_000
const STOP_MS = 30_000

/** Starts the service on the data folder, or finds it running there; never a second one on the same folder. */
export async function ensureLocal(recipe: Recipe, options: LocalOptions): Promise<LocalService> {
  const folder = resolve(options.folder)
  const dataFolder = join(folder, recipe.name)
  mkdirSync(dataFolder, { recursive: true })
  const held = await lock(join(folder, 'run', `${recipe.name}.lock`), READY_MS * 2)
  try {
    const running = runningState(recipe, folder)
    if (running) {
      await untilReady(recipe, folder, running)
      return { url: recipe.url(running.port), port: running.port, pid: running.pid, started: false }
    }
    const state = await start(recipe, folder, options)
    await untilReady(recipe, folder, state)
    return { url: recipe.url(state.port), port: state.port, pid: state.pid, started: true }
  } finally {
    held.release()
  }
}

/** Ends the service of the data folder, if one runs, and waits until it has written everything. True when one ran. */
export async function stopLocalService(recipe: Recipe, folder: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<boolean> {
  const state = runningState(recipe, resolve(folder))
  if (state) await end(state, signal)
  rmSync(stateFile(recipe, resolve(folder)), { force: true })
  return state !== null
}

async function start(recipe: Recipe, folder: string, options: LocalOptions): Promise<State> {
  const port = options.port ?? (await choosePort(recipe, folder))
  const { file, args } = await recipe.command(join(folder, recipe.name), port, options.log)
  const log = openLog(logFile(recipe, folder))
  // A session of its own: Ctrl-C in the terminal must not reach Redis before the workers have drained.
  const child = spawn(file, args, { cwd: join(folder, recipe.name), detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
  const state: State = { pid: child.pid!, started: identify(child.pid!)?.started ?? null, port }
  const path = stateFile(recipe, folder)
  writeFileSync(`${path}.part`, JSON.stringify(state))
  renameSync(`${path}.part`, path)
  return state
}

async function choosePort(recipe: Recipe, folder: string): Promise<number> {
  const last = readState(recipe, folder)?.port
  return last !== undefined && (await isFree(last)) ? last : freePort()
}

async function untilReady(recipe: Recipe, folder: string, state: State): Promise<void> {
  const deadline = Date.now() + READY_MS
  while (!(await recipe.isReady(join(folder, recipe.name), state.port))) {
    const alive = isAlive(state)
    if (alive && Date.now() < deadline) {
      await sleep(100)
      continue
    }
    const what = alive ? `does not answer on port ${state.port} after ${READY_MS / 1000} s` : 'ended as it started'
    if (alive) await end(state, 'SIGTERM')
    throw new CannotRun(
      `the local ${recipe.name} ${what}; its log is ${logFile(recipe, folder)} and ends with:\n${logTail(logFile(recipe, folder))}`,
    )
  }
}

async function end(state: State, signal: NodeJS.Signals): Promise<void> {
  send(state, signal)
  const deadline = Date.now() + STOP_MS
  while (isAlive(state)) {
    if (Date.now() > deadline) send(state, 'SIGKILL')
    await sleep(50)
  }
}

function send(state: State, signal: NodeJS.Signals): void {
  try {
    process.kill(state.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function runningState(recipe: Recipe, folder: string): State | null {
  const state = readState(recipe, folder)
  return state && isAlive(state) ? state : null
}

function readState(recipe: Recipe, folder: string): State | null {
  try {
    return State.parse(JSON.parse(readFileSync(stateFile(recipe, folder), 'utf8')))
  } catch {
    return null
  }
}

const stateFile = (recipe: Recipe, folder: string): string => join(folder, 'run', `${recipe.name}.json`)
const logFile = (recipe: Recipe, folder: string): string => join(folder, 'logs', `${recipe.name}.log`)
