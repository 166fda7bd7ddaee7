import type { Random } from './random.ts'

/** One fault of a drill: what it falls on, and how long it is waited before it, in milliseconds. */
export interface Step<T> {
  on: T
  waitMs: number
}

/** So many faults, each on something chosen by chance, at gaps chosen by chance. All of it comes from the seed. */
export function schedule<T>(random: Random, options: { times: number; on: readonly T[]; gapMs: readonly [number, number] }): Step<T>[] {
  const [from, to] = options.gapMs
  return Array.from({ length: options.times }, () => ({ on: random.one(options.on), waitMs: random.whole(from, to) }))
}

/** How long a schedule takes at least, in milliseconds. */
export function lengthOf(steps: readonly Step<unknown>[]): number {
  return steps.reduce((sum, { waitMs }) => sum + waitMs, 0)
}
