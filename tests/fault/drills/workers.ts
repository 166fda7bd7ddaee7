import { setTimeout as sleep } from 'node:timers/promises'
import type { Drill } from '../rig/drill.ts'
import type { Random } from '../rig/random.ts'
import { lengthOf, schedule } from '../rig/schedule.ts'
import type { Scene } from '../rig/scene.ts'
import { stageOf } from '../rig/system.ts'

/** Any worker is killed at any moment. */
export const workersKilled: Drill = {
  name: 'workers-killed',
  title: 'Workers killed',
  times: '25 × `kill -9`, any stage, two of each',
  async run(scene) {
    const steps = schedule(scene.random, { times: scene.small ? 8 : 25, on: scene.rig.workers(), gapMs: [500, 1200] })
    const load = scene.load({ overMs: lengthOf(steps) })
    for (const { on, waitMs } of steps) {
      await sleep(waitMs)
      await scene.kill(on)
    }
    await load.done
  },
}

/** Workers are asked to leave under load, as an update does. */
export const workersStopped: Drill = {
  name: 'workers-stopped',
  title: 'Workers stopped',
  times: '25 × SIGTERM under load; each out in < 10 s, nothing fetched twice',
  async run(scene) {
    const { rig, random, site } = scene
    scene.strict = true
    site.answerMs = 300
    const times = scene.small ? rig.workers().length : 25
    const pages = Array.from({ length: site.n }, (_, page) => page)
    for (const [at, on] of inTurns(random, rig.workers(), times).entries()) {
      await rig.system.ready(on)
      // Each has pages of its own: a slow machine must not come to the last worker when all work is done.
      const overMs = random.whole(500, 1200)
      const load = scene.load({ pages: pages.filter((page) => page % times === at), overMs })
      await sleep(overMs)
      if (await rig.busy(stageOf(on))) scene.met += 1
      // The supervision says how it ended, and when: the naming within ten seconds is the leaving within ten seconds.
      scene.fault(`SIGTERM to ${on}`, { by: /^supervision$/, says: new RegExp(`^${on} ended \\(exit code 0\\)`) })
      rig.system.kill(on, 'SIGTERM')
      await load.done
    }
  },
}

/** So many of them, in an order by chance; none comes again before all have come. */
function inTurns(random: Random, names: readonly string[], times: number): string[] {
  const rounds = Array.from({ length: Math.ceil(times / names.length) }, () => random.shuffled(names))
  return rounds.flat().slice(0, times)
}

/** More than two locks, which the rig sets to 2 s. */
const FROZEN_MS = 4500

/** One worker of each stage is frozen, and wakes when others have done its work. */
export const workersFrozen: Drill = {
  name: 'workers-frozen',
  title: 'A worker frozen for two locks, then woken',
  times: '20 × SIGSTOP; its late write loses',
  async run(scene) {
    const rounds = scene.small ? 2 : 5
    const load = scene.load({ overMs: rounds * FROZEN_MS })
    const before = (await scene.rig.status())?.late ?? 0
    for (let round = 0; round < rounds; round += 1) await freezeRound(scene)
    // What was frozen with work in hand is late with it: that is counted, and so named.
    const deadline = Date.now() + 10_000
    while (((await scene.rig.status())?.late ?? 0) === before && Date.now() < deadline) await sleep(100)
    scene.check(((await scene.rig.status())?.late ?? 0) > before, 'no late move was counted within 10 s after workers woke')
    await load.done
  },
}

async function freezeRound(scene: Scene): Promise<void> {
  const { rig, random } = scene
  const chosen = (['fetch', 'clean', 'extract-metadata', 'index'] as const).map((stage) => random.one(rig.names(stage)))
  for (const name of chosen) {
    if (await rig.busy(stageOf(name))) scene.met += 1
    if (stageOf(name) === 'fetch') scene.repeats += await rig.active('fetch')
    scene.fault(`SIGSTOP of ${name}`)
    rig.system.kill(name, 'SIGSTOP')
  }
  await sleep(FROZEN_MS)
  for (const name of chosen) rig.system.kill(name, 'SIGCONT')
}
