import { setTimeout as sleep } from 'node:timers/promises'
import type { Drill } from '../rig/drill.ts'
import { lengthOf, schedule } from '../rig/schedule.ts'

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
