import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CannotRun } from '../local/cannot-run.ts'
import { tryLock } from '../local/folder-lock.ts'
import { isAlive } from '../local/process-identity.ts'
import { stopLocal } from '../local/stop-local.ts'
import { join, resolve } from 'node:path'

/** Longer than `up` takes at worst: draining, then Redis's and Elasticsearch's own ends. */
const WAIT_MS = 90_000

/** Ends the system that runs on the data folder, and local services that a killed one left behind. Resolves to the exit code. */
export async function down({ data, json = false }: { data: string; json?: boolean }): Promise<number> {
  const folder = resolve(data)
  const ended: string[] = []
  // A lock would make the folder.
  if (!existsSync(folder)) throw new CannotRun(`there is no folder ${folder}: nothing of Copydesk runs on it`)
  const held = tryLock(join(folder, 'run', 'up.lock'))
  if ('release' in held) {
    // Under the lock, so that no `up` starts what is being ended here.
    ended.push(...(await stopLocal(folder)))
    held.release()
  } else {
    process.kill(held.pid, 'SIGTERM')
    const deadline = Date.now() + WAIT_MS
    while (isAlive(held)) {
      if (Date.now() > deadline)
        throw new CannotRun(`process ${held.pid} does not end: its logs are in ${join(folder, 'logs')}; kill it and run this again`)
      await sleep(100)
    }
    ended.push('up')
  }
  if (json) console.log(JSON.stringify({ data: folder, ended }))
  else console.log(ended.length > 0 ? `ended: ${ended.join(', ')}` : `nothing of Copydesk runs on ${folder}`)
  return 0
}
