import { createRandom } from '../fault/rig/random.ts'

/** A kill: so long after the drill began, and which of those that run then it meets (0 ≤ victim < 1). */
export interface Kill {
  atMs: number
  victim: number
}

/** The gap between two kills is the mean, 41 % less or more: 0.5 to 1.2 s at 25 kills. */
const SPREAD = 0.41

/** So many kills over so many seconds; the same seed gives the same schedule. */
export function scheduleKills(kills: number, overSeconds: number, seed: number): Kill[] {
  const random = createRandom(seed)
  const mean = (overSeconds * 1000) / kills
  let atMs = 0
  return Array.from({ length: kills }, () => {
    atMs += mean * (1 - SPREAD + 2 * SPREAD * random.next())
    return { atMs, victim: random.next() }
  })
}
