import { DRILLS } from '../drills/index.ts'
import { createStage, type Played, playDrill } from '../rig/drill.ts'

/** What a play is told by its arguments, and what it prints as its last line. */
export type PlayResult = Pick<Played, 'lost' | 'doubled' | 'stuck' | 'wrong' | 'failures' | 'seconds' | 'skipped'>

/**
 * Plays one drill small, in the tree that this file lies in: `node play.ts DRILL SEED ELASTICSEARCH [LOGS]`. Told to end, or left
 * alone by who started it, it ends its system first.
 */
const [name, seed, elasticsearchUrl = '', logs] = process.argv.slice(2)
const drill = DRILLS.find((each) => each.name === name)
if (!drill) throw new Error(`there is no drill ${name}: there are ${DRILLS.map((each) => each.name).join(', ')}`)
const stage = createStage({ elasticsearchUrl, small: true })
const end = (): void => void stage.close().finally(() => process.exit(1))
process.once('SIGINT', end).once('SIGTERM', end).once('disconnect', end)
try {
  const options = { elasticsearchUrl, seed: Number(seed), small: true, n: 0, ...(logs && { logs }) }
  const { lost, doubled, stuck, wrong, failures, seconds, skipped } = await playDrill(drill, stage, options)
  const result: PlayResult = { lost, doubled, stuck, wrong, failures, seconds, ...(skipped !== undefined && { skipped }) }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await stage.close()
}
process.exit(0)
