/** A process for the pool's tests that is killed while its children work: it names them to the test. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ParserPool } from './tasks.ts'
import { createParserPool } from './pool.ts'

const script = fileURLToPath(new URL('./bad-pages.child.ts', import.meta.url))
const makePool = (): ParserPool => createParserPool({ store: null, size: 1, script, deadlineMs: 1000 })
const [idle, busy] = [makePool(), makePool()]
const run = (pool: ParserPool, way: string): Promise<unknown> => pool.clean({ way } as never, AbortSignal.timeout(60_000))

const pids = await Promise.all([run(idle, 'pid'), run(busy, 'pid')])
void run(busy, 'loop').catch(() => undefined)
await sleep(100)
process.send?.(pids)
