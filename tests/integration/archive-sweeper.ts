/**
 * A process that sweeps an archive in which everybody is dead, and prints what it did. Run by archive-sweep.test.ts:
 * `node archive-sweeper.ts FOLDER once|for-ever [SIDE]`. With a side it kills itself there, at the first rename.
 */
import { sweepSegments } from '@copydesk/archive'
import { armFailpoints } from '@copydesk/pipeline'
import { silent } from '../support/redis.ts'

const [folder = '', times = '', killSide = ''] = process.argv.slice(2)
armFailpoints((name, side) => {
  if (name === 'segment.rename' && side === killSide) process.kill(process.pid, 'SIGKILL')
})
const warn = (fields: object) => process.stdout.write(`${JSON.stringify({ warned: fields })}\n`)
async function sweepOnce(): Promise<void> {
  // Everything is old enough for a clock that goes ahead.
  const now = () => Date.now() + 60_000
  const swept = await sweepSegments({ folder, untouchedMs: 0, isAlive: async () => false, log: { ...silent, warn }, now })
  process.stdout.write(`${JSON.stringify(swept)}\n`)
}

process.stdout.write('{}\n')
if (times === 'once') await sweepOnce()
else for (;;) await sweepOnce()
