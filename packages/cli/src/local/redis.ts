import { createConnection } from 'node:net'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { ensureLocal, type LocalOptions, type LocalService, type Recipe } from './local-service.ts'
import { recipe } from './recipe.ts'
import { ROOT } from './repository.ts'

export const redisRecipe: Recipe = {
  name: 'redis',
  async command(folder, port, log) {
    const file = await recipe('redis-server', [], log)
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no']
    return { file, args: [join(ROOT, 'infra/redis.conf'), ...own] }
  },
  async isReady(folder, port) {
    // A Redis that still loads its file answers PING with an error. Plain words, because only packages/queue speaks to Redis by a client.
    const answer = await ask(port, 'PING\r\nCONFIG GET dir\r\nQUIT\r\n')
    return answer.startsWith('+PONG') && answer.includes(`\r\n${realpathSync(folder)}\r\n`)
  },
  url: (port) => `redis://127.0.0.1:${port}`,
}

/** A Redis on the data folder: the one that runs there, or a new one with infra/redis.conf. */
export function ensureRedis(options: LocalOptions): Promise<LocalService> {
  return ensureLocal(redisRecipe, options)
}

function ask(port: number, commands: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 2000 }, () => socket.write(commands))
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => resolve(''))
    socket.on('close', () => resolve(answer))
  })
}
