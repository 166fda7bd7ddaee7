import type { Log } from '@copydesk/pipeline'
import { armKill, type KillAt } from './failpoints.ts'
import { type Health, startHealthServer } from './health-server.ts'
import { CONFIG_EXIT, ConfigError } from './load-env.ts'
import { createLogger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'

export interface ServiceContext {
  log: Log
  metrics: Metrics
  health: Health
  /** Aborted when the service is to leave while it still starts. */
  leaving: AbortSignal
  /** What the service waits for, said by /readyz; an empty list when it is ready. */
  setWaitingFor(ask: () => string[]): void
}

export interface RunningService {
  /** Told to the supervisor beside the health address. */
  notice?: Record<string, string>
  close(): Promise<void>
}

interface ServiceEnv {
  LOG_LEVEL: string
  HEALTH_HOST: string
  HEALTH_PORT: number
  SHUTDOWN_MS: number
  KILL_AT?: KillAt | undefined
}

/**
 * The frame of every service: configuration, log, health, ready notice to a supervisor, graceful end on SIGTERM, SIGINT, or when the supervisor is gone.
 * `start` is given the parsed environment. A ConfigError ends the process with CONFIG_EXIT and one line on standard error.
 */
export async function runService<Env extends ServiceEnv>(
  name: string,
  readEnv: () => Env,
  start: (env: Env, context: ServiceContext) => Promise<RunningService>,
): Promise<void> {
  let log: Log | undefined
  try {
    const env = readEnv()
    log = createLogger({ service: name, level: env.LOG_LEVEL })
    if (env.KILL_AT) armKill(env.KILL_AT)
    await run(name, env, log, start)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log?.error({ reason }, 'the service could not start')
    process.stderr.write(`${name}: ${reason}\n`)
    process.exit(error instanceof ConfigError ? CONFIG_EXIT : 1)
  }
}

async function run<Env extends ServiceEnv>(
  name: string,
  env: Env,
  log: Log,
  start: (env: Env, context: ServiceContext) => Promise<RunningService>,
): Promise<void> {
  const metrics = createMetrics(name)
  let waitingFor = (): string[] => ['start']
  const health: Health = {
    waitingFor: () => waitingFor(),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
  }
  const server = await startHealthServer({ host: env.HEALTH_HOST, port: env.HEALTH_PORT, health }).catch((cause: unknown) => {
    throw new ConfigError(
      `HEALTH_PORT=${env.HEALTH_PORT} can't be used (${cause instanceof Error ? cause.message : String(cause)}): set another, or 0 for any free one`,
      {
        cause,
      },
    )
  })
  const leaving = new AbortController()
  let service: RunningService | undefined
  onLeave(async (reason) => {
    log.info({ reason }, 'leaving')
    // Whatever happens while it leaves, the process is gone in time: what it had under way is taken up by another.
    setTimeout(() => process.exit(0), env.SHUTDOWN_MS + 1500).unref()
    leaving.abort(new Error('the service is leaving'))
    await service?.close()
    await server.close()
    process.exit(0)
  })
  process.on('unhandledRejection', (error) =>
    log.error({ reason: String(error), stack: error instanceof Error ? error.stack : undefined }, 'unhandled rejection'),
  )
  service = await start(env, { log, metrics, health, leaving: leaving.signal, setWaitingFor: (ask) => (waitingFor = ask) })
  await ready(() => waitingFor(), leaving.signal)
  if (leaving.signal.aborted) return
  log.info({ health: server.url, ...service.notice }, 'ready')
  if (process.connected) process.send?.({ ready: true, health: server.url, ...service.notice })
}

/** Waits until nothing is waited for any more. */
async function ready(waitingFor: () => string[], leaving: AbortSignal): Promise<void> {
  while (waitingFor().length > 0 && !leaving.aborted) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** Calls back once: at SIGTERM, SIGINT, or when the supervisor that started this process is gone. */
function onLeave(leave: (reason: string) => Promise<void>): void {
  let left = false
  const once = (reason: string) => {
    if (left) return
    left = true
    void leave(reason).catch(() => process.exit(1))
  }
  process.on('SIGTERM', () => once('SIGTERM'))
  process.on('SIGINT', () => once('SIGINT'))
  if (process.connected) process.on('disconnect', () => once('the supervisor is gone'))
}
