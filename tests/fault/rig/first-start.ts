import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '@copydesk/cli'
import type { FailpointSide } from '@copydesk/pipeline'
import type { Scene } from './scene.ts'

/** Kills the very first process of a new pair of Redis and archive as it makes their epoch; the next one must bring them together. */
export async function killAtEpoch(scene: Scene, side: FailpointSide, times: number): Promise<number> {
  let killed = 0
  for (let at = 0; at < times; at += 1) {
    const prefix = `{first-${randomUUID().slice(0, 8)}}`
    const archive = join(scene.rig.folder, `archive-${prefix.slice(1, -1)}`)
    const first = start(scene, prefix, archive, `epoch.write:${side}`)
    const [, signal] = (await Promise.race([once(first, 'exit'), sleep(20_000, [null, 'not met'])])) as [number | null, string]
    if (signal !== 'SIGKILL') {
      first.kill('SIGKILL')
      return killed
    }
    scene.fault(`first start killed at epoch.write:${side}`)
    killed += 1
    const second = start(scene, prefix, archive)
    const ready = await Promise.race([once(second, 'message').then(() => true), sleep(20_000, false)])
    scene.check(ready, `after a kill at epoch.write:${side} the next start does not become ready`)
    const epoch = await scene.rig.redis.direct.get(`${prefix}:epoch`)
    scene.check(epoch !== null && filesOf(archive).includes(epoch), 'Redis and archive have different epochs')
    second.kill('SIGKILL')
    await once(second, 'exit')
  }
  return killed
}

function start({ rig }: Scene, prefix: string, archive: string, killAt = ''): ReturnType<typeof spawn> {
  const env = {
    ...process.env,
    REDIS_URL: `redis://:${rig.redis.password}@127.0.0.1:${rig.redis.port}`,
    REDIS_PREFIX: prefix,
    ARCHIVE_DIR: archive,
    HEALTH_PORT: '0',
    KILL_AT: killAt,
  }
  return spawn(process.execPath, [join(ROOT, 'services/clean/src/main.ts')], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

/** What the small files of a folder hold. */
function filesOf(folder: string): string {
  const files = readdirSync(folder).map((name) => join(folder, name))
  return files.map((file) => (statSync(file).isFile() ? readFileSync(file, 'latin1') : '')).join('\n')
}
