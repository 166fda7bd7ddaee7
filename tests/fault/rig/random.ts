/** Chance that comes from a seed, so that a drill can be played again. */
export interface Random {
  /** From 0, below 1. */
  next(): number
  /** A whole number, both ends included. */
  whole(from: number, to: number): number
  /** True with this probability. */
  chance(share: number): boolean
  one<T>(of: readonly T[]): T
  /** The same things in another order. */
  shuffled<T>(of: readonly T[]): T[]
}

/** A generator of 32 bits (Tommy Ettinger's mulberry32): the same seed, the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    whole,
    chance: (share) => next() < share,
    one: (of) => of[whole(0, of.length - 1)]!,
    shuffled(of) {
      const list = [...of]
      for (let at = list.length - 1; at > 0; at -= 1) {
        const other = whole(0, at)
        ;[list[at], list[other]] = [list[other]!, list[at]!]
      }
      return list
    },
  }
}

/** The seed of one drill: the run's own, mixed with the drill's name, so that a drill does the same alone and among others. */
export function seedOf(seed: number, name: string): number {
  let hash = seed >>> 0
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
  return hash
}
