import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { LOCAL } from '@copydesk/cli'
import { afterAll, expect, inject, test } from 'vitest'
import { DRILLS } from './drills/index.ts'
import { byKind, createStage, playDrill } from './rig/drill.ts'

/** Set it to a printed one, and the same faults come at the same places again. */
const seed = Number(process.env['FAULT_SEED'] ?? randomInt(1_000_000))
const options = { seed, small: true, n: 0, elasticsearchUrl: inject('elasticsearchUrl'), logs: join(LOCAL, 'bench/faults/logs') }
const stage = createStage(options)
afterAll(async () => await stage.close())
console.log(`drills: FAULT_SEED=${seed}`)

// In full, at 2,000 pages: ./copydesk bench faults
test.each(byKind(DRILLS))('$title', { timeout: 300_000 }, async (drill) => {
  const { failures, skipped, lost, doubled, stuck, wrong, faults, met, late, seconds } = await playDrill(drill, stage, options)
  if (skipped === undefined) console.log(`${drill.name}: ${met} of ${faults} faults met work, ${late} late, ${seconds} s`)
  else console.log(`${drill.name}: skipped: ${skipped}`)
  expect({ lost, doubled, stuck, wrong, failures }).toEqual({ lost: 0, doubled: 0, stuck: 0, wrong: 0, failures: [] })
})
