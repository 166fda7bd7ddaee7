import { setTimeout as sleep } from 'node:timers/promises'
import { CaptureId } from '@copydesk/contracts'
import { doTask } from './api.ts'
import type { Target } from './reaper.ts'
import type { Scene } from './scene.ts'

/** So long a scheduler may live before its failpoint must have been met. */
const WITHIN_MS = 30_000

/**
 * Kills the scheduler at a failpoint of its rarer duties, so many times, and lets it do the duty whole at last. Resolves to how often it was
 * killed there. A dead keeper's lease is taken away, or each kill would cost ten seconds.
 */
export async function killScheduler(scene: Scene, target: Target, times: number): Promise<number> {
  const { rig } = scene
  const [name] = target.split(':')
  const duty = name === 'accept-ended' ? forgetSome : wipeAndAsk
  let killed = 0
  let ended = Promise.withResolvers<string>()
  rig.onNotice((text) => {
    const [, how] = /^scheduler ended \(([^)]+)\)/.exec(text) ?? []
    if (how) ended.resolve(how)
  })
  for (let at = 0; at < times; at += 1) {
    await rig.there('scheduler')
    ended = Promise.withResolvers<string>()
    rig.arm('scheduler', target)
    rig.system.kill('scheduler', 'SIGTERM')
    await ended.promise
    ended = Promise.withResolvers<string>()
    await duty(scene)
    const how = await Promise.race([ended.promise, sleep(WITHIN_MS, 'not met')])
    if (how !== 'SIGKILL') return killed
    scene.fault(`scheduler killed at ${target}`)
    killed += 1
    await rig.redis.direct.del(`${rig.prefix}:lease:keeper`)
  }
  // Whatever the kills left behind, one that is let alone brings it to its end.
  if (name === 'accept-ended') await untilKnown(scene)
  else await untilRecovered(scene)
  return killed
}

/** A kill after the last step left nothing to do. */
async function untilRecovered({ rig }: Scene): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(200)) if (await rig.status()) return
  await doTask(rig, 'recover', true)
}

const forgotten = new Set<CaptureId>()

/** Lets Redis forget captures that have ended, as it does when it comes back from an older file. */
async function forgetSome({ rig, loads }: Scene): Promise<void> {
  const { direct } = rig.redis
  const known = await direct.zrange(`${rig.prefix}:known`, '0', '-1')
  const answered = new Set(loads.flatMap((load) => [...load.answered.keys()] as string[]))
  let count = 0
  for (const id of known.toReversed()) {
    if (count === 3) break
    const trail = await direct.lrange(`${rig.prefix}:trail:${id}`, 0, -1)
    const outcome = trail.at(-1)?.split('|')[6]
    if (!answered.has(id) || !outcome || outcome === 'failed' || (await direct.exists(`${rig.prefix}:entry:${id}`)) === 1) continue
    await direct
      .multi()
      .zrem(`${rig.prefix}:known`, id)
      .del(`${rig.prefix}:trail:${id}`)
      .hincrby(`${rig.prefix}:counts`, 'accepted', -1)
      .hincrby(`${rig.prefix}:counts`, outcome, -1)
      .exec()
    forgotten.add(CaptureId.parse(id))
    count += 1
  }
}

async function untilKnown(scene: Scene): Promise<void> {
  const { rig } = scene
  const deadline = Date.now() + 60_000
  const ids = [...forgotten]
  const allKnown = async (): Promise<boolean> =>
    (await Promise.all(ids.map(async (id) => await rig.redis.direct.zscore(`${rig.prefix}:known`, id)))).every((score) => score !== null)
  while (!(await allKnown()) && Date.now() < deadline) await sleep(200)
  scene.check(await allKnown(), 'the tail check did not find what Redis had forgotten')
  forgotten.clear()
}

/** Empties Redis, and asks for what brings it back; once it was begun, the next scheduler is asked anew. */
async function wipeAndAsk({ rig }: Scene): Promise<void> {
  await rig.redis.kill()
  rig.redis.wipe()
  await rig.redis.start()
  const asked = async (): Promise<boolean> => {
    const answer = await fetch(`${rig.system.api}/api/v1/tasks/recover`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apply: true }),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => null)
    await answer?.text()
    return answer?.status === 202
  }
  const deadline = Date.now() + 20_000
  while (!(await asked()) && Date.now() < deadline) await sleep(200)
}
