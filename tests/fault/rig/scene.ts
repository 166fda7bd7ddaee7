import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCode, StatusView } from '@copydesk/contracts'
import { type Load, type LoadOptions, startLoad } from './load.ts'
import type { Site } from './origin.ts'
import { createRandom, type Random, seedOf } from './random.ts'
import { type LogMarks, markLogs } from './said.ts'
import { type Rig, stageOf } from './system.ts'

/** How a fault must be named within ten seconds: by whom (a process's name, `supervision` or `status`), in which words. */
export interface Naming {
  by: RegExp
  says: RegExp
}

/** A fault of a drill, as it was made. */
export interface MadeFault {
  at: number
  what: string
  named: Naming | null
}

/** One drill on one system: its own pages, its load, and what is noted while it runs. */
export interface Scene {
  rig: Rig
  n: number
  small: boolean
  random: Random
  site: Site
  loads: Load[]
  faults: MadeFault[]
  /** How many faults met work: a drill whose faults met too little has proven nothing, and fails. */
  met: number
  /** At least this share of the faults must have met work. */
  mustMeet: number
  /** Fetches that faults may have repeated. */
  repeats: number
  /** Nothing may be fetched twice. */
  strict: boolean
  /** Redis was emptied: it has no trail of what ended before. */
  forgets: boolean
  /** Pages that must end as dead letters, each with one of these codes. */
  dead: Map<number, readonly FaultCode[]>
  since: number
  /** The tail check must have passed this moment (ms since 1970) before anything is judged; 0 where it need not. */
  settleMark: number
  /** What broke a rule of the drill's own. */
  broken: string[]
  /** Numbers to be printed beside the usual ones. */
  extra: Record<string, number | string>
  baseline: StatusView
  marks: LogMarks
  /** Starts to hand in the pages. */
  load(options?: Partial<LoadOptions>): Load
  /** Notes a fault that is made now. */
  fault(what: string, named?: Naming): void
  /** A rule of the drill's own. */
  check(holds: boolean, otherwise: string): void
  /** `kill -9` of a worker that has work in hand, and what it may repeat. */
  kill(name: string): Promise<void>
}

/** Sets the scene on a running system. */
export async function setScene(rig: Rig, options: { name: string; n: number; small: boolean; seed: number }): Promise<Scene> {
  const random = createRandom(seedOf(options.seed, options.name))
  rig.random = random
  const site = rig.origin.site(`${options.name}-${Date.now().toString(36)}`, options.n)
  const baseline = await statusWithin(rig, 30_000)
  const scene: Scene = {
    ...{
      rig,
      n: options.n,
      small: options.small,
      random,
      site,
      loads: [],
      faults: [],
      met: 0,
      mustMeet: 0.6,
      repeats: 0,
      strict: false,
      forgets: false,
    },
    ...{ dead: new Map(), since: Date.now(), settleMark: 0, broken: [], extra: {}, baseline, marks: markLogs(rig.folder) },
    load(more = {}) {
      const load = startLoad({ api: rig.api, site, random, items: scene.small ? 10 : 50, ...more })
      scene.loads.push(load)
      return load
    },
    fault: (what, named) => void scene.faults.push({ at: Date.now(), what, named: named ?? null }),
    check(holds, otherwise) {
      if (!holds) scene.broken.push(otherwise)
    },
    async kill(name) {
      const stage = stageOf(name)
      await rig.there(name)
      if (await rig.busy(stage)) scene.met += 1
      if (stage === 'fetch') scene.repeats += await rig.active('fetch')
      scene.fault(`kill -9 ${name}`, { by: /^supervision$/, says: new RegExp(`^${name} ended \\(SIGKILL\\)`) })
      rig.system.kill(name, 'SIGKILL')
    },
  }
  return scene
}

/** The status, asked until it answers. */
export async function statusWithin(rig: Rig, ms: number): Promise<StatusView> {
  const deadline = Date.now() + ms
  for (;;) {
    const status = await rig.status()
    if (status) return status
    if (Date.now() > deadline) throw new Error(`the API does not tell its status for ${ms / 1000} s`)
    await sleep(100)
  }
}
