import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CannotRun } from '../local/cannot-run.ts'
import { tryLock, type FolderLock } from '../local/folder-lock.ts'
import { freePort, isFree } from '../local/free-port.ts'
import { limitLog } from '../local/log-file.ts'
import { ROOT } from '../local/repository.ts'
import { identify } from '../local/process-identity.ts'
import { backOff } from './back-off.ts'
import { allReady } from './all-ready.ts'
import { latch } from './latch.ts'
import { namesOf, type ProcessInfo, type ServiceName, type Supervised, type SupervisionEvents } from './processes.ts'
import { startStores } from './start-stores.ts'
import { isService, stopParts } from './stop-parts.ts'
import { superviseService } from './supervise-service.ts'
import { readSystemFile, removeSystemFile, writeSystemFile } from './system-file.ts'

const API_HOST = '127.0.0.1'
/** The services drain within 10 s by themselves. */
const DRAIN_MS = 12_000
const LOGS_MS = 60_000

export interface SystemOptions {
  /** Everything that the system keeps lies under it: archive/, redis/, elasticsearch/, logs/, run/. */
  folder: string
  /** The API's port; 0 for any free one. */
  port: number
  /** The services' environment. REDIS_URL and ELASTICSEARCH_URL, where set, are used instead of local services. */
  env: NodeJS.ProcessEnv
  /** Told in one line each what takes time, what died and what starts again. */
  notice: (line: string) => void
  /** Ends a start that is under way. */
  signal?: AbortSignal
  /** How many processes of a service; one where nothing is said. The second of `fetch` is called `fetch-2`. */
  instances?: Partial<Record<ServiceName, number>>
  /** What comes on top of a process's environment; asked by its name at each of its starts. */
  envOf?: (name: string) => NodeJS.ProcessEnv
  /** Waits so many milliseconds before every start after a death, instead of longer each time. */
  restartMs?: number
}

/** A running system: every service a process, supervised by this one. */
export interface System {
  api: string
  redis: string
  elasticsearch: string
  data: string
  processes: () => ProcessInfo[]
  /** Sends a signal to a process by its name; supervision starts it again. */
  kill: (name: string, signal: NodeJS.Signals) => void
  /** Ends a process gracefully and resolves once its successor is ready. */
  restart: (name: string) => Promise<void>
  /** Resolves once the process is up (again). */
  ready: (name: string) => Promise<void>
  /** Resolves to why the system can't go on; never, while all is well. */
  failed: Promise<Error>
  /** Drains the services, then ends what is local. Resolves to the number of captures still under way (null: not known). `force` doesn't drain. */
  stop: (options?: { force?: boolean }) => Promise<number | null>
}

/** Starts a whole system on one machine and resolves once every part is ready. Throws CannotRun, with everything ended again, where it can't be. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const folder = resolve(options.folder)
  await makeFolder(folder)
  const held = lockFolder(folder)
  const parts: Supervised[] = []
  const failure = latch()
  const events: SupervisionEvents = { notice: options.notice, fatal: failure.fail }
  const failed = failure.opened().then(
    () => new Error('unreachable'),
    (error: Error) => error,
  )
  const processes = namesOf(options.instances ?? {})
  const logs = setInterval(() => processes.forEach(({ name }) => limitLog(logFile(folder, name))), LOGS_MS)
  let stopped: Promise<number | null> | null = null
  const stop: System['stop'] = ({ force = false } = {}) => {
    if (force) for (const part of parts) if (isService(part)) void part.stop(0)
    return (stopped ??= stopParts(parts, force ? 0 : DRAIN_MS, api).finally(() => {
      clearInterval(logs)
      removeSystemFile(folder)
      held.release()
    }))
  }

  let api: string | null = null
  try {
    const port = await choosePort(options.port)
    options.signal?.throwIfAborted()
    const [redis, elasticsearch] = await startStores(folder, options.env, events, parts)
    options.signal?.throwIfAborted()
    api = `http://${API_HOST}:${port}`
    const env = {
      LOG_LEVEL: 'info',
      ARCHIVE_DIR: join(folder, 'archive'),
      ...options.env,
      REDIS_URL: redis,
      ELASTICSEARCH_URL: elasticsearch,
      HEALTH_PORT: '0',
      API_HOST,
      API_PORT: String(port),
    }
    for (const { name, service } of processes) {
      const script = join(ROOT, 'services', service, 'src/main.ts')
      const spec = { name, script, env: () => ({ ...env, ...options.envOf?.(name) }), logFile: logFile(folder, name) }
      parts.push(superviseService(spec, events, options.restartMs === undefined ? backOff() : { next: () => options.restartMs! }))
    }
    // Before all is ready: one that waits for an operator must be found by the operator's commands.
    writeSystemFile(folder, { pid: process.pid, started: identify(process.pid)?.started ?? null, api, redis, elasticsearch })
    await allReady(parts, { api, failed, logFile: (name) => logFile(folder, name), notice: options.notice, signal: options.signal })
    return { api, redis, elasticsearch, data: folder, processes: () => parts.map((part) => part.info()), ...byName(parts), failed, stop }
  } catch (error) {
    await stop({ force: true })
    throw error
  }
}

/** The asynchronous one: where a folder can't be made below another, the synchronous one may try for ever. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CannotRun(`${folder} can't be the data folder (${reason}): choose another with --data`, { cause })
  })
}

function lockFolder(folder: string): FolderLock {
  const held = tryLock(join(folder, 'run', 'up.lock'))
  if ('release' in held) return held
  const where = readSystemFile(folder)?.api
  throw new CannotRun(
    `a system runs on ${folder} already (process ${held.pid}${where ? `, ${where}` : ''}): end it with ./copydesk down, or choose another --data`,
  )
}

async function choosePort(wanted: number): Promise<number> {
  if (wanted === 0) return freePort(API_HOST)
  if (await isFree(wanted, API_HOST)) return wanted
  throw new CannotRun(`port ${wanted} on ${API_HOST} is taken: end what listens there, or choose another with --port`)
}

function byName(parts: Supervised[]): Pick<System, 'kill' | 'restart' | 'ready'> {
  const find = (name: string): Supervised => {
    const part = parts.find((candidate) => candidate.name === name)
    if (!part) throw new Error(`no process is called ${name}: there are ${parts.map((each) => each.name).join(', ')}`)
    return part
  }
  return {
    kill: (name, signal) => find(name).kill(signal),
    restart: (name) => find(name).restart(),
    ready: (name) => find(name).ready(),
  }
}

const logFile = (folder: string, name: string): string => join(folder, 'logs', `${name}.log`)
