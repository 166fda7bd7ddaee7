import { setTimeout as sleep } from 'node:timers/promises'
import type { Drill } from '../rig/drill.ts'
import { parseMemory } from '../rig/memory.ts'
import type { Scene } from '../rig/scene.ts'

/** How long something is full, in milliseconds. */
const fullMs = (scene: Scene): number => (scene.small ? 4000 : 15_000)

/** Makes something full in the middle of a load, and then makes room. */
async function whileFull(
  scene: Scene,
  { times, says, fill, empty }: { times: number; says: RegExp; fill: () => Promise<void>; empty: () => Promise<void> },
): Promise<void> {
  const load = scene.load({ overMs: times * (fullMs(scene) + 2000), items: scene.small ? 4 : 20 })
  for (let at = 0; at < times; at += 1) {
    await sleep(1500)
    scene.repeats += await scene.rig.active('fetch')
    await fill()
    await sleep(fullMs(scene))
    await empty()
    await sleep(1000)
  }
  await load.done
  const refused = [...load.refused.values()].reduce((sum, count) => sum + count, 0)
  scene.met = Math.min(scene.faults.length, refused)
  scene.extra['refused'] = refused
  scene.extra['statuses'] = [...load.refused.keys()].join(' ')
  const odd = [...load.reasons].filter((reason) => !says.test(reason))
  scene.check(odd.length === 0, `intake was refused in other words: ${odd.slice(0, 3).join(' | ')}`)
  scene.check(
    [...load.refused.keys()].every((status) => status === 503 || status === 429),
    'intake was refused with another status',
  )
}

/** Redis is at its maxmemory: nothing can be written there, not even moved. */
export const redisFull: Drill = {
  name: 'redis-full',
  title: 'Redis full',
  times: '3 × at its `maxmemory`; intake refuses in plain words, nothing half-added, goes on when there is room',
  async run(scene) {
    const { redis } = scene.rig
    await whileFull(scene, {
      times: scene.small ? 1 : 3,
      says: /memory|full|can't be written|can not be written/i,
      async fill() {
        scene.fault('Redis at its maxmemory', { by: /./, says: /maxmemory|out of memory|OOM/i })
        await redis.direct.config('SET', 'maxmemory', String(parseMemory(await redis.direct.info('memory')) + 20_000))
      },
      empty: async () => void (await redis.direct.config('SET', 'maxmemory', '0')),
    })
  },
}

/** Redis can't write its own file. */
export const redisDiskFull: Drill = {
  name: 'redis-disk-full',
  title: 'The disk of Redis full',
  times: '3 ×, on a small file system; the same',
  on: 'disks',
  async run(scene) {
    const disk = scene.rig.disks!.redis
    await whileFull(scene, {
      times: scene.small ? 1 : 3,
      says: /disk|written|MISCONF|no space/i,
      async fill() {
        scene.fault('the disk of Redis full', { by: /./, says: /MISCONF|no space|disk/i })
        disk.fill(0)
      },
      empty: async () => disk.empty(),
    })
  },
}

/** The archive can't be written: intake stops at the limit, what is under way stops when nothing is left. */
export const archiveDiskFull: Drill = {
  name: 'archive-disk-full',
  title: 'The disk of the archive full',
  times: '3 ×, on a small file system; the same',
  on: 'disks',
  async run(scene) {
    const disk = scene.rig.disks!.archive
    await whileFull(scene, {
      times: scene.small ? 1 : 3,
      says: /disk|space|free/i,
      async fill() {
        scene.fault('the disk of the archive full', { by: /./, says: /disk is full|free space|INTAKE_MIN_FREE_BYTES/i })
        disk.fill(0)
      },
      empty: async () => disk.empty(),
    })
  },
}
