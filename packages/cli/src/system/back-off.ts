const FIRST_MS = 500
const LONGEST_MS = 10_000
const GOOD_MS = 30_000

/** Says how long to wait before the next start of a process that lived for so long, in milliseconds. */
export interface BackOff {
  next: (livedMs: number) => number
}

/** How long to wait before each start after a death: 0.5 s, doubled up to 10 s, from the beginning again after 30 s of life. */
export function backOff(): BackOff {
  let wait = 0
  return {
    next(livedMs) {
      wait = wait === 0 || livedMs >= GOOD_MS ? FIRST_MS : Math.min(wait * 2, LONGEST_MS)
      return wait
    },
  }
}
