/** A kill: so long after the drill began, and which of those that run then it meets (0 ≤ victim < 1). */
export interface Kill {
  atMs: number
  victim: number
}

/** The gap between two kills is the mean, 41 % less or more: 0.5 to 1.2 s at 25 kills. */
const SPREAD = 0.41

/** So many kills over so many seconds; the same seed gives the same schedule. */
export function scheduleKills(kills: number, overSeconds: number, seed: number): Kill[] {
  const random = generator(seed)
  const mean = (overSeconds * 1000) / kills
  let atMs = 0
  return Array.from({ length: kills }, () => {
    atMs += mean * (1 - SPREAD + 2 * SPREAD * random())
    return { atMs, victim: random() }
  })
}

/** A linear congruential generator (Numerical Recipes' constants). */
function generator(seed: number): () => number {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
