import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServiceName, startSystem, type System } from '@copydesk/cli'
import { type StageName, StatusView } from '@copydesk/contracts'
import { createSearchClient } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'
import { dropArticles } from '../../support/search.ts'
import { type HttpProxy, startHttpProxy } from './http-proxy.ts'
import { type Origin, startOrigin } from './origin.ts'
import { createRandom, type Random } from './random.ts'
import { type DrillRedis, startDrillRedis } from './redis.ts'
import type { Line } from './said.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** Faults come faster when locks and checks are short; in production they are 30 s, 30 s, 15 s and 30 s. docs/FAULTS.md names them. */
export const SPEEDS = {
  LOCK_MS: '2000',
  STALLED_CHECK_MS: '1000',
  KEEPER_MS: '2000',
  RECONCILE_UNTOUCHED_MS: '5000',
  RETRY_BASE_MS: '500',
  INTAKE_SETTLE_MS: '5000',
}
const TWO_OF_EACH: Partial<Record<ServiceName, number>> = { fetch: 2, clean: 2, 'extract-metadata': 2, index: 2 }
/** In the small form, also what waits for a silent Redis (30 s in production) and for a parser (10 s). */
const SMALL = { REDIS_SILENT_MS: '6000', PARSER_DEADLINE_MS: '4000' }
/** The wait before a dead process is started again: constant, so that a drill of many kills doesn't wait longer and longer. */
const RESTART_MS = 250

/** `disks`: archive and Redis each on a disk of a few megabytes; `own`: as usual, for one drill alone. */
export type RigKind = 'usual' | 'disks' | 'own'

export interface RigOptions {
  elasticsearchUrl: string
  small: boolean
  env?: NodeJS.ProcessEnv
}

/** A whole system with a proxy before everything that it needs, its own Redis and its own origin. */
export interface Rig {
  kind: RigKind
  folder: string
  archive: string
  /** The API, through its proxy. */
  api: string
  system: System
  origin: Origin
  redis: DrillRedis
  /** Where they are small ones. */
  disks: { redis: SmallDisk; archive: SmallDisk } | null
  /** Before Redis, before Elasticsearch (in bytes, and in words), and before the API. */
  proxies: { redis: TcpProxy; elasticsearch: TcpProxy; search: HttpProxy; api: TcpProxy }
  /** Elasticsearch, past the proxies. */
  client: Client
  alias: string
  prefix: string
  /** Calls back whenever the supervision says something. */
  onNotice(listener: (text: string) => void): void
  /** What the supervision said, and what `status` says, asked every second. */
  said: Line[]
  /** The processes of a service. */
  names(service: ServiceName): string[]
  workers(): string[]
  /** Sets KILL_AT for the next life of a process. */
  arm(name: string, killAt: string): void
  status(): Promise<StatusView | null>
  /** Jobs in hand of a stage, as Redis has them. */
  active(stage: StageName): Promise<number>
  /** Waits until a stage has jobs in hand; false when it has none within the time. */
  busy(stage: StageName, withinMs?: number): Promise<boolean>
  /** Waits until a process is there to be killed: dead already, it could not be; while it starts it can. */
  there(name: string): Promise<void>
  /** Who decides by chance: each drill sets its own. */
  random: Random
  /** Words that must stand in no log. */
  secrets: string[]
  end(): Promise<void>
}

/** Starts Redis, proxies, origin and every service, and resolves once all is ready. */
export async function startRig(kind: RigKind, options: RigOptions): Promise<Rig> {
  const id = `fault-${randomUUID().slice(0, 8)}`
  const folder = await mkdtemp(join(tmpdir(), 'copydesk-fault-'))
  const secrets = ['redis', 'search'].map((what) => `canary-${what}-${randomUUID().slice(0, 12)}`)
  const [redisPassword, searchPassword] = secrets as [string, string]
  const said: Line[] = []
  const armed = new Map<string, string>()
  const listeners = new Set<(text: string) => void>()
  const undo: (() => Promise<unknown>)[] = []
  const keep = <T>(part: T, close: (part: T) => Promise<unknown>): T => (undo.unshift(async () => await close(part)), part)
  const end = async (): Promise<void> => {
    for (const each of undo.splice(0)) await each()
  }
  keep(folder, async () => await rm(folder, { recursive: true, force: true }))
  try {
    const origin = keep(await startOrigin(), async (part) => await part.close())
    const disks =
      kind === 'disks'
        ? keep(smallDisks(folder, options.small ? 96 : 512), async (part) => (part.redis.close(), part.archive.close()))
        : null
    const redis = keep(
      await startDrillRedis(disks?.redis.folder ?? join(folder, 'redis'), redisPassword, join(folder, 'redis.log')),
      async (part) => await part.stop(),
    )
    const search = keep(await startHttpProxy(options.elasticsearchUrl, () => rig.random), async (part) => await part.close())
    const proxies = {
      search,
      redis: keep(await startTcpProxy(() => redis.port), async (part) => await part.close()),
      elasticsearch: keep(await startTcpProxy(() => search.port), async (part) => await part.close()),
      api: keep(await startTcpProxy(() => Number(new URL(rig.system.api).port)), async (part) => await part.close()),
    }
    const client = keep(createSearchClient({ url: options.elasticsearchUrl }), async (part) => await part.close())
    keep(id, async () => await dropArticles(client, id))
    const archive = join(disks?.archive.folder ?? folder, 'archive')
    const system = await startSystem({
      folder,
      port: 0,
      notice(text) {
        said.push({ at: Date.now(), by: 'supervision', text })
        for (const listener of listeners) listener(text)
      },
      instances: TWO_OF_EACH,
      restartMs: RESTART_MS,
      envOf(name) {
        const killAt = armed.get(name)
        armed.delete(name)
        return killAt === undefined ? {} : { KILL_AT: killAt }
      },
      env: {
        ...process.env,
        ...SPEEDS,
        FETCH_CONCURRENCY: '8',
        REDIS_URL: `redis://:${redisPassword}@127.0.0.1:${proxies.redis.port}`,
        ELASTICSEARCH_URL: `http://copydesk:${searchPassword}@127.0.0.1:${proxies.elasticsearch.port}`,
        REDIS_PREFIX: `{${id}}`,
        ARTICLES_ALIAS: id,
        ARCHIVE_DIR: archive,
        FETCH_ALLOW_CIDRS: `127.0.0.1/32:${origin.port}`,
        ...(options.small && SMALL),
        ...(disks && { INTAKE_MIN_FREE_BYTES: '4MiB' }),
        ...options.env,
      },
    })
    keep(system, async (part) => await part.stop({ force: true }))
    const api = `http://127.0.0.1:${proxies.api.port}`
    const rig: Rig = {
      ...{ kind, folder, archive, disks, api, system, origin, redis, proxies, client, alias: id, prefix: `{${id}}`, said, secrets, end },
      ...lookers(system, redis, `{${id}}`),
      arm: (name, killAt) => void armed.set(name, killAt),
      onNotice: (listener) => void listeners.add(listener),
      random: createRandom(1),
    }
    keep(watchStatus(rig), async (timer) => clearInterval(timer))
    return rig
  } catch (error) {
    await end()
    throw error
  }
}

function smallDisks(folder: string, mebibytes: number): { redis: SmallDisk; archive: SmallDisk } {
  const redis = mountSmallDisk(join(folder, 'redis-disk'), mebibytes)
  try {
    return { redis, archive: mountSmallDisk(join(folder, 'archive-disk'), mebibytes) }
  } catch (error) {
    redis.close()
    throw error
  }
}

function lookers(
  system: System,
  redis: DrillRedis,
  prefix: string,
): Pick<Rig, 'names' | 'workers' | 'status' | 'active' | 'busy' | 'there'> {
  const all = (): string[] => system.processes().map(({ name }) => name)
  const names = (service: ServiceName): string[] => all().filter((name) => name.replace(/-\d+$/, '') === service)
  const active = async (stage: StageName): Promise<number> => await redis.direct.llen(`${prefix}:${stage}:active`)
  return {
    names,
    active,
    workers: () => (['fetch', 'clean', 'extract-metadata', 'index'] as const).flatMap(names),
    async status() {
      const response = await fetch(`${system.api}/api/v1/status`, { signal: AbortSignal.timeout(5000) }).catch(() => null)
      return response?.ok ? StatusView.parse(await response.json()) : null
    },
    async there(name) {
      while (!system.processes().some((each) => each.name === name && each.pid !== null)) await sleep(10)
    },
    async busy(stage, withinMs = 2000) {
      const deadline = Date.now() + withinMs
      while (Date.now() < deadline) {
        if ((await active(stage)) > 0) return true
        await sleep(5)
      }
      return false
    },
  }
}

/** What `status` answers is one of the places where a fault may be named: what it waits for, or why it can't say. */
function watchStatus(rig: Rig): NodeJS.Timeout {
  const say = (text: string): void => void rig.said.push({ at: Date.now(), by: 'status', text })
  return setInterval(() => {
    void fetch(`${rig.system.api}/api/v1/status`, { signal: AbortSignal.timeout(9000) })
      .then(async (answer) => {
        const body = (await answer.json()) as { waitingFor?: string[]; alarms?: string[]; detail?: string }
        for (const text of [...(body.waitingFor ?? []), ...(body.alarms ?? []), ...(body.detail ? [body.detail] : [])]) say(text)
      })
      .catch(() => undefined)
  }, 1000)
}

/** The stage of a worker's name: `fetch-2` works for fetch. */
export function stageOf(name: string): StageName {
  return name.replace(/-\d+$/, '') as StageName
}
