import { setTimeout as sleep } from 'node:timers/promises'
import { doTask, numberOf } from '../rig/api.ts'
import type { Drill } from '../rig/drill.ts'
import type { Scene } from '../rig/scene.ts'
import { copyIndex, setIndexBack } from '../rig/index-copy.ts'

/** All that Redis held is gone, in the middle of the work. */
export const redisWiped: Drill = {
  name: 'redis-wiped',
  title: 'Redis wiped',
  times: '3 ×; nothing that was answered with a captureId is lost after `recover`',
  on: 'own',
  async run(scene) {
    const { rig, site } = scene
    const times = scene.small ? 1 : 3
    scene.forgets = true
    const load = scene.load({ overMs: times * (scene.small ? 3000 : 15_000) })
    for (let at = 0; at < times; at += 1) {
      await sleep(scene.small ? 2000 : 10_000)
      if (await rig.busy('fetch')) scene.met += 1
      scene.repeats += (await rig.active('fetch')) + 16
      scene.fault('Redis wiped', { by: /./, says: /Redis is empty/ })
      await rig.redis.kill()
      rig.redis.wipe()
      await rig.redis.start()
      await recovered(scene)
    }
    await load.done
    scene.extra['requests'] = site.requests()
  },
}

async function recovered(scene: Scene): Promise<void> {
  const { rig } = scene
  // First what it would do: that must change nothing, so that the epoch is lost still.
  const dry = await doTask(rig, 'recover', false)
  scene.check((await rig.status()) === null, 'a recover without apply opened the gate')
  const done = await doTask(rig, 'recover', true)
  scene.check(JSON.stringify(Object.keys(dry)) === JSON.stringify(Object.keys(done)), 'recover tells other things without apply')
  const deadline = Date.now() + 15_000
  while ((await rig.status()) === null && Date.now() < deadline) await sleep(100)
}

/** Elasticsearch comes back as it was yesterday. */
export const indexSetBack: Drill = {
  name: 'index-set-back',
  title: 'The index set back by a day',
  times: 'once, restored from a copy; `audit --repair` puts back every article',
  async run(scene) {
    const { rig, site, random } = scene
    const pages = random.shuffled(Array.from({ length: site.n }, (_, page) => page))
    const [early, late] = [pages.slice(0, Math.ceil(site.n * 0.7)), pages.slice(Math.ceil(site.n * 0.7))]
    await scene.load({ pages: early, again: false }).done
    await quiet(scene)
    const copy = await copyIndex(rig)
    const corrected = early.slice(0, Math.ceil(early.length / 2))
    await scene.load({ pages: late, again: false }).done
    await scene.load({ pages: corrected, again: false, changed: true }).done
    await quiet(scene)
    scene.fault('the index set back')
    await setIndexBack(rig, copy)
    const found = await doTask(rig, 'audit', false)
    const [missing, old] = [numberOf(found, 'missing'), numberOf(found, 'old')]
    scene.met += missing === late.length && old === corrected.length ? 1 : 0
    scene.check(missing === late.length, `audit found ${missing} missing articles where ${late.length} are: ${JSON.stringify(found)}`)
    scene.check(old === corrected.length, `audit found ${old} old articles where ${corrected.length} are: ${JSON.stringify(found)}`)
    const repaired = await doTask(rig, 'audit', true)
    scene.extra['put back'] = numberOf(repaired, 'repaired')
    const again = await doTask(rig, 'audit', false)
    const left = numberOf(again, 'missing') + numberOf(again, 'old')
    scene.check(left === 0, `after the repair ${left} articles are missing or old`)
  },
}

async function quiet({ rig }: Scene): Promise<void> {
  const deadline = Date.now() + 120_000
  while ((await rig.status())?.inFlight !== 0) {
    if (Date.now() > deadline) throw new Error('the work does not end')
    await sleep(100)
  }
}
