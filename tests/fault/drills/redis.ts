import { setTimeout as sleep } from 'node:timers/promises'
import type { Drill } from '../rig/drill.ts'
import type { Naming, Scene } from '../rig/scene.ts'
import type { Rig } from '../rig/system.ts'

const AWAY: Naming = { by: /./, says: /Redis connection|Redis does not answer/ }

/** How many clients Redis has: workers that came back hold connections again. */
async function clients(rig: Rig): Promise<number> {
  const list = String(await rig.redis.direct.client('LIST'))
  return list.split('\n').filter(Boolean).length
}

/** Starts Redis again and measures how long it takes until workers hold their connections again, in milliseconds. */
async function startAgain(scene: Scene, before: number): Promise<number> {
  await scene.rig.redis.start()
  const since = Date.now()
  while ((await clients(scene.rig)) < before * 0.9 && Date.now() - since < 20_000) await sleep(50)
  return Date.now() - since
}

/** Redis dies and comes back. */
export const redisKilled: Drill = {
  name: 'redis-killed',
  title: 'Redis killed',
  times: '10 × `kill -9` and start, 0.4–5 s away; workers back in < 5 s, the API answers 503',
  async run(scene) {
    const { rig, random } = scene
    const times = scene.small ? 3 : 10
    const load = scene.load({ overMs: times * (scene.small ? 3500 : 6000) })
    let slowestBack = 0
    let refused = 0
    for (let at = 0; at < times; at += 1) {
      await sleep(random.whole(500, 1500))
      const before = await clients(rig)
      if (await rig.busy('fetch')) scene.met += 1
      scene.repeats += await rig.active('fetch')
      scene.fault('Redis killed', AWAY)
      await rig.redis.kill()
      const away = sleep(random.whole(400, scene.small ? 2500 : 5000))
      if (await answers503(rig)) refused += 1
      await away
      slowestBack = Math.max(slowestBack, await startAgain(scene, before))
    }
    await load.done
    scene.extra['slowest back, ms'] = slowestBack
    scene.extra['slowest intake, ms'] = load.slowestMs
    scene.check(slowestBack < 5000, `workers were back only after ${slowestBack} ms`)
    scene.check(refused === times, `only ${refused} of ${times} times the API answered 503 while Redis was away`)
  },
}

/** Whether the API says that Redis is away, and does so soon. */
async function answers503(rig: Rig): Promise<boolean> {
  const answer = await fetch(`${rig.system.api}/api/v1/status`, { signal: AbortSignal.timeout(6000) }).catch(() => null)
  await answer?.text()
  return answer?.status === 503
}

/** Redis is there, and yet not as it should be. */
export const redisShaken: Drill = {
  name: 'redis-shaken',
  title: 'Redis silent for longer than a lock, slow, scripts flushed, connections killed',
  times: '5 × each; no unhandled rejection',
  async run(scene) {
    const { rig, random } = scene
    const rounds = scene.small ? 1 : 5
    const load = scene.load({ overMs: rounds * 15_000 })
    const kinds = Array.from({ length: rounds }, () => random.shuffled(['silent', 'slow', 'flushed', 'killed'] as const)).flat()
    for (const kind of kinds) {
      await sleep(random.whole(300, 800))
      if (await rig.busy('fetch')) scene.met += 1
      scene.repeats += await rig.active('fetch')
      await shake(scene, kind)
    }
    await load.done
  },
}

async function shake(scene: Scene, kind: 'silent' | 'slow' | 'flushed' | 'killed'): Promise<void> {
  const { redis, proxies } = scene.rig
  if (kind === 'silent') {
    // Longer than a producer waits for an answer (5 s), too: by that the API notices.
    scene.fault('Redis silent for 5.8 s', AWAY)
    await proxies.redis.set({ kind: 'silent' })
    await sleep(5800)
    await proxies.redis.set({ kind: 'pass' })
    scene.check(proxies.redis.counts.silenced > 0, 'no connection was silenced')
  } else if (kind === 'slow') {
    scene.fault('Redis slow: each answer 300 ms late')
    await proxies.redis.set({ kind: 'slow', ms: 300 })
    await sleep(3000)
    await proxies.redis.set({ kind: 'pass' })
    scene.check(proxies.redis.counts.slowed > 0, 'no answer was slowed')
  } else if (kind === 'flushed') {
    scene.fault('scripts flushed')
    await redis.direct.script('FLUSH')
  } else {
    scene.fault('connections killed')
    const killed = Number(await redis.direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
    scene.check(killed > 0, 'no connection was killed')
  }
}

/** The network forgets the connections that there are: no end, no reset, no answer. New ones work. */
export const redisOldSockets: Drill = {
  name: 'redis-old-sockets',
  title: 'Old sockets to Redis silent for ever, while new ones work',
  times: 'once; workers back in < 45 s',
  async run(scene) {
    const { rig } = scene
    const load = scene.load({ overMs: 4000 })
    await sleep(1500)
    if (await rig.busy('fetch')) scene.met += 1
    scene.repeats += await rig.active('fetch')
    scene.fault('old sockets silent', AWAY)
    const since = Date.now()
    const touched = await lastTouched(rig)
    await rig.proxies.redis.set({ kind: 'silent-old' })
    while ((await lastTouched(rig)) <= touched + 500 && Date.now() - since < 60_000) await sleep(100)
    const back = Date.now() - since
    scene.extra['back after, ms'] = back
    scene.check(back < 45_000, `workers were back only after ${back} ms`)
    await load.done
    await rig.proxies.redis.set({ kind: 'pass' })
  },
}

/** When a worker last gave a capture a run (ms since 1970): a run's number is at least Redis's clock. */
async function lastTouched(rig: Rig): Promise<number> {
  const newest = await rig.redis.direct.zrevrange(`${rig.prefix}:flight`, 0, 50)
  const runs = await Promise.all(newest.map(async (id) => Number((await rig.redis.direct.hget(`${rig.prefix}:entry:${id}`, 'run')) ?? 0)))
  return Math.max(0, ...runs)
}

/** Redis comes back without its last seconds, as after a power loss. */
export const redisCutBack: Drill = {
  name: 'redis-cut-back',
  title: 'Redis started again from a file cut back by 1–5 s',
  times: '5 ×; nothing that was answered with a captureId is lost',
  async run(scene) {
    const { rig, random, site } = scene
    const times = scene.small ? 1 : 5
    const load = scene.load({ overMs: times * (scene.small ? 5000 : 9000) })
    const requests = new Map<number, number>()
    const counting = setInterval(() => requests.set(Date.now(), site.requests()), 50)
    let bytes = 0
    for (let at = 0; at < times; at += 1) {
      await sleep(scene.small ? 3000 : random.whole(5000, 7000))
      const backMs = scene.small ? 2000 : random.whole(1000, 5000)
      const [now, answered] = [Date.now(), load.answered.size]
      scene.fault(`Redis set back by ${backMs} ms`, AWAY)
      await rig.redis.kill()
      const cut = rig.redis.cutBack(now - backMs)
      bytes += cut
      if (cut > 0 && answered > 0) scene.met += 1
      // What was fetched in that time is fetched again: seconds are all that the file's own times tell.
      const before = [...requests].findLast(([at]) => at < now - backMs - 1000)?.[1] ?? 0
      scene.repeats += site.requests() - before + 16
      await rig.redis.start()
    }
    await load.done
    clearInterval(counting)
    scene.extra['bytes cut off'] = bytes
    scene.settleMark = Date.now()
  },
}
