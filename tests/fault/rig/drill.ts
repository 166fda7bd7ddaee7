import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { watchUsage } from '../../bench/usage.ts'
import { judge, type Verdict } from './oracle.ts'
import { type Scene, setScene } from './scene.ts'
import { type Rig, type RigKind, startRig } from './system.ts'
import { Skipped } from './skipped.ts'

/** A drill: faults, and what must hold after them. */
export interface Drill {
  name: string
  /** As the table in docs/FAULTS.md has it. */
  title: string
  /** How often, in full; for the table. */
  times: string
  /** What it is played on: a system that others share, where nothing is said. */
  on?: RigKind
  /** Settings of its own; only on a system of its own. */
  env?: NodeJS.ProcessEnv
  /** Pages of the small form. */
  small?: number
  /** Makes the faults, under load. Resolves after the last one; throws Skipped where the machine doesn't let it. */
  run(scene: Scene): Promise<void>
}

export interface PlayOptions {
  elasticsearchUrl: string
  seed: number
  small: boolean
  /** Pages in full. */
  n: number
  /** Where the logs of a drill that failed are kept. */
  logs?: string
}

/** What became of a drill. */
export interface Played extends Verdict {
  drill: string
  title: string
  times: string
  n: number
  seed: number
  small: boolean
  seconds: number
  /** Of the services, stores aside. */
  cpuSeconds: number
  peakMemoryMiB: number
  extra: Record<string, number | string>
  skipped?: string
}

const SMALL = 80

/** Keeps the system that drills of one kind share, one at a time; a drill that failed leaves a system to which nobody comes back. */
export function createStage(options: Pick<PlayOptions, 'elasticsearchUrl' | 'small'>) {
  let current: Rig | null = null

  async function close(): Promise<void> {
    const rig = current
    current = null
    await rig?.end()
  }

  return {
    async rigFor(drill: Drill): Promise<Rig> {
      const kind = drill.on ?? 'usual'
      // One of another kind is not needed any more, since drills come ordered by it.
      if (current?.kind !== kind) await close()
      current ??= await startRig(kind, { ...options, ...(drill.env && { env: drill.env }) })
      return current
    },
    async done(rig: Rig, good: boolean): Promise<void> {
      if (!good || rig.kind === 'own') await close()
    },
    close,
  }
}
/** Drills in an order in which each shared system is started once. */
export function byKind(drills: readonly Drill[]): Drill[] {
  const kinds: RigKind[] = ['usual', 'disks', 'own']
  return kinds.flatMap((kind) => drills.filter((drill) => (drill.on ?? 'usual') === kind))
}

export type DrillStage = ReturnType<typeof createStage>

/** Plays one drill from its start to its verdict. Throws only where the rig itself fails. */
export async function playDrill(drill: Drill, stage: DrillStage, options: PlayOptions): Promise<Played> {
  const { seed, small } = options
  const since = Date.now()
  const n = small ? (drill.small ?? SMALL) : options.n
  const about = { drill: drill.name, title: drill.title, times: drill.times, n, seed, small }
  const seconds = (): number => Math.round((Date.now() - since) / 100) / 10
  try {
    const rig = await stage.rigFor(drill)
    const usage = watchUsage(() => rig.system.processes().flatMap(({ pid }) => pid ?? []))
    const before = usage.cpuSeconds()
    let good = false
    try {
      const scene = await setScene(rig, { name: drill.name, n, small, seed })
      const verdict = await playScene(drill, scene)
      good = verdict.failures.length === 0
      if (!good && options.logs) await keepEvidence(rig, join(options.logs, drill.name))
      const used = { cpuSeconds: Math.round(usage.cpuSeconds() - before), peakMemoryMiB: Math.round(usage.peakMemoryMiB()) }
      return { ...about, ...verdict, ...used, extra: scene.extra, seconds: seconds() }
    } finally {
      usage.stop()
      await stage.done(rig, good)
    }
  } catch (error) {
    if (!(error instanceof Skipped)) throw error
    return { ...about, ...NOTHING, skipped: error.message, seconds: seconds() }
  }
}

/** What is needed to see why a drill failed: logs and archive. */
async function keepEvidence(rig: Rig, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await cp(join(rig.folder, 'logs'), join(folder, 'logs'), { recursive: true })
  await cp(rig.archive, join(folder, 'archive'), { recursive: true })
}

async function playScene(drill: Drill, scene: Scene): Promise<Verdict> {
  try {
    await drill.run(scene)
  } catch (error) {
    if (error instanceof Skipped) throw error
    scene.broken.push(`the drill broke off: ${inWords(error)}`)
  }
  return await judge(scene).catch((error: unknown) => ({ ...NOTHING, failures: [...scene.broken, `no verdict: ${inWords(error)}`] }))
}

function inWords(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const NOTHING: Verdict & Pick<Played, 'cpuSeconds' | 'peakMemoryMiB' | 'extra'> = {
  ...{ lost: 0, doubled: 0, stuck: 0, wrong: 0, accepted: 0, outcomes: {}, undecided: 0, cut: 0, faults: 0, met: 0, late: 0 },
  ...{ originRequests: 0, allowedRequests: 0, failures: [], cpuSeconds: 0, peakMemoryMiB: 0, extra: {} },
}
