/** The services in the order in which they are started and listed. */
export const SERVICES = ['scheduler', 'fetch', 'clean', 'extract-metadata', 'index', 'api'] as const
export type ServiceName = (typeof SERVICES)[number]

/** The processes of a system: one of each service, or as many as `instances` says; the second of `fetch` is called `fetch-2`. */
export function namesOf(instances: Partial<Record<ServiceName, number>>): { name: string; service: ServiceName }[] {
  return SERVICES.flatMap((service) =>
    Array.from({ length: instances[service] ?? 1 }, (_, at) => ({ name: at === 0 ? service : `${service}-${at + 1}`, service })),
  )
}

/** One process of a running system, as `up --json` prints it. */
export interface ProcessInfo {
  name: string
  /** Null between a death and the next start. */
  pid: number | null
  /** Where it answers /healthz and /readyz; for Redis its address, for Elasticsearch its health page. */
  health: string | null
}

/** A process that is started again, with back-off, whenever it dies. */
export interface Supervised {
  name: string
  info: () => ProcessInfo
  /** Resolves once it is up; rejects where starting it again can't help. */
  ready: () => Promise<void>
  /** Sends a signal and leaves the rest to the supervision. */
  kill: (signal: NodeJS.Signals) => void
  /** Ends it and starts it at once; resolves once it is ready. */
  restart: () => Promise<void>
  /** Ends it for good, after `drainMs` at the latest. */
  stop: (drainMs: number) => Promise<void>
}

/** What a supervised process tells its system. */
export interface SupervisionEvents {
  /** A death and what follows, in one line for the operator. */
  notice: (line: string) => void
  /** Starting it again can't help. */
  fatal: (error: Error) => void
}

/** Whether a process that gets this signal has to come up again before it counts as ready. */
export function isDeadly(signal: NodeJS.Signals): boolean {
  return signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT'
}
