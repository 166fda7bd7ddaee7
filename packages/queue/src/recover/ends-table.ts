import { type CaptureId, OUTCOMES, type Outcome } from '@copydesk/contracts'

/** The end that counts for a capture. `outcome` null: a retry took it back. */
export interface LastEnd {
  rev: number
  run: number
  at: number
  outcome: Outcome | null
}

const WORDS = 4
const TAKEN_BACK = 1
const FIRST_OUTCOME = 2
const SEEN = 0x80

/**
 * The last end of each of millions of captures, in flat arrays: a hash table with open addressing and no object for a capture.
 * At most 37 bytes a slot, and two thirds of the slots in use: 56 to 112 bytes a capture, half as much again while it grows.
 */
export function createEndsTable(slots = 1024) {
  let table = allocate(slots)
  let used = 0

  function find(ids: Uint32Array): number {
    const { keys, states, mask } = table
    const [a = 0, b = 0, c = 0, d = 0] = ids
    let at = hash(ids) & mask
    for (;;) {
      const key = at * WORDS
      if (states[at] === 0 || (keys[key] === a && keys[key + 1] === b && keys[key + 2] === c && keys[key + 3] === d)) return at
      at = (at + 1) & mask
    }
  }

  function grow(): void {
    const old = table
    table = allocate((old.mask + 1) * 2)
    for (let from = 0; from <= old.mask; from += 1) {
      if (old.states[from] === 0) continue
      const ids = old.keys.subarray(from * WORDS, from * WORDS + WORDS)
      const to = find(ids)
      table.keys.set(ids, to * WORDS)
      table.states[to] = old.states[from] ?? 0
      table.revs[to] = old.revs[from] ?? 0
      table.runs[to] = old.runs[from] ?? 0
      table.ats[to] = old.ats[from] ?? 0
    }
  }

  return {
    /** Notes an end. False where another counts: that of the highest rev, then run, then time. */
    put(captureId: CaptureId, { rev, run, at, outcome }: LastEnd): boolean {
      if ((used + 1) * 3 > (table.mask + 1) * 2) grow()
      const ids = wordsOf(captureId)
      const slot = find(ids)
      if (table.states[slot] === 0) {
        used += 1
        table.keys.set(ids, slot * WORDS)
      } else if (compare(table, slot, rev, run, at) > 0) {
        return false
      }
      table.states[slot] = outcome === null ? TAKEN_BACK : FIRST_OUTCOME + OUTCOMES.indexOf(outcome)
      table.revs[slot] = rev
      table.runs[slot] = run
      table.ats[slot] = at
      return true
    },

    /** The end that counts, and whether it was asked for before; null where the capture has none. Each is to be counted once. */
    take(captureId: CaptureId): (LastEnd & { again: boolean }) | null {
      const slot = find(wordsOf(captureId))
      const state = table.states[slot] ?? 0
      if (state === 0) return null
      table.states[slot] = state | SEEN
      const kind = state & ~SEEN
      const outcome = kind === TAKEN_BACK ? null : (OUTCOMES[kind - FIRST_OUTCOME] ?? null)
      const { revs, runs, ats } = table
      return { rev: revs[slot] ?? 0, run: runs[slot] ?? 0, at: ats[slot] ?? 0, outcome, again: (state & SEEN) !== 0 }
    },

    /** Captures that have an end, a retry or a dismissal. */
    size: (): number => used,

    /** Ends of captures that nobody asked for. */
    unasked(): number {
      return table.states.reduce((sum, state) => sum + (state !== 0 && (state & SEEN) === 0 ? 1 : 0), 0)
    },
  }
}

type Table = ReturnType<typeof allocate>

function allocate(slots: number) {
  return {
    mask: slots - 1,
    keys: new Uint32Array(slots * WORDS),
    states: new Uint8Array(slots),
    revs: new Uint32Array(slots),
    runs: new Float64Array(slots),
    ats: new Float64Array(slots),
  }
}

/** Above 0 where what is stored counts, and not the other. */
function compare(table: Table, slot: number, rev: number, run: number, at: number): number {
  return (table.revs[slot] ?? 0) - rev || (table.runs[slot] ?? 0) - run || (table.ats[slot] ?? 0) - at
}

/** The 128 bits of a UUID. */
function wordsOf(captureId: CaptureId): Uint32Array {
  const hex = captureId.replaceAll('-', '')
  return Uint32Array.from({ length: WORDS }, (_, at) => Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16))
}

function hash([a = 0, b = 0, c = 0, d = 0]: Uint32Array): number {
  const mixed = Math.imul(d, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35) ^ a
  return (mixed ^ (mixed >>> 15)) >>> 0
}
