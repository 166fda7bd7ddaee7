import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from './decide.ts'
import { buildDocument, type IncomingArticle, type StoredArticle } from './document.ts'
import { type ArticleFacts, incoming } from './test-data.ts'

const NOW = Date.parse('2026-11-21T00:00:00Z')
const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString()

function stored(facts: ArticleFacts, status: StoredArticle['status'] = 'live'): StoredArticle {
  const document = buildDocument(incoming(facts), null, NOW)
  return { ...document, status }
}

function decided(before: ArticleFacts, now: ArticleFacts) {
  return decide(stored({ fetchedAt: at(10), capture: 1, ...before }), incoming({ fetchedAt: at(20), capture: 2, ...now }))
}

const written = (outcome: string) => ({ write: true, outcome })
const kept = (outcome: string) => ({ write: false, outcome })

describe('the decision', () => {
  it('writes where nothing is stored', () => {
    expect(decide(null, incoming({ extent: 'teaser', wordCount: 0 }))).toEqual(written('indexed'))
  })

  it('refuses whatever comes for a retracted article, its own capture too', () => {
    for (const capture of [1, 2]) {
      expect(decide(stored({ capture: 1, fetchedAt: at(1) }, 'retracted'), incoming({ capture, fetchedAt: at(9), rev: 3 }))).toEqual({
        write: false,
        outcome: 'refused',
        code: 'retracted',
      })
    }
  })

  it('takes the same capture and revision for written already', () => {
    expect(decided({ capture: 1 }, { capture: 1, content: 'b', fetchedAt: at(10) })).toEqual(kept('indexed'))
    expect(decided({ capture: 1 }, { capture: 1, content: 'b', fetchedAt: at(1) })).toEqual(kept('indexed'))
  })

  it('writes the same capture where it was fetched anew and is no worse: what came meanwhile may have ended as a repeat of it', () => {
    expect(decided({ capture: 1 }, { capture: 1, content: 'b' })).toEqual(written('indexed'))
    expect(decided({ capture: 1 }, { capture: 1 })).toEqual(written('indexed'))
    expect(decided({ capture: 1 }, { capture: 1, content: 'b', extent: 'cut' })).toEqual(kept('indexed'))
    expect(decided({ capture: 1, wordCount: 500 }, { capture: 1, content: 'b', wordCount: 100 })).toEqual(kept('indexed'))
  })

  it('writes a replay over a lower revision, a teaser over a whole article too, and never over a higher one', () => {
    expect(decided({ capture: 1 }, { capture: 1, rev: 1, fetchedAt: at(10), extent: 'teaser' })).toEqual(written('indexed'))
    expect(decided({ capture: 1, rev: 2 }, { capture: 1, rev: 1 })).toEqual(kept('stale'))
  })

  it.each(['teaser', 'cut'] as const)('keeps a whole article from a %s, newer or older', (extent) => {
    expect(decided({}, { extent })).toEqual(kept('regressed'))
    expect(decided({}, { extent, fetchedAt: at(1) })).toEqual(kept('regressed'))
    expect(decided({}, { extent, rev: 1 })).toEqual(kept('regressed'))
  })

  it('keeps a whole article from a newer one with under half of its words, unless it is a replay', () => {
    expect(decided({ wordCount: 500 }, { wordCount: 249, content: 'b' })).toEqual(kept('regressed'))
    expect(decided({ wordCount: 500 }, { wordCount: 250, content: 'b' })).toEqual(written('indexed'))
    expect(decided({ wordCount: 500 }, { wordCount: 249, content: 'b', rev: 1 })).toEqual(written('indexed'))
    expect(decided({ wordCount: 500 }, { wordCount: 249, content: 'b', fetchedAt: at(1) })).toEqual(kept('stale'))
  })

  it.each(['teaser', 'cut'] as const)('writes a whole article over a %s, newer or older, long or short', (extent) => {
    expect(decided({ extent }, { wordCount: 1 })).toEqual(written('indexed'))
    expect(decided({ extent }, { fetchedAt: at(1) })).toEqual(written('indexed'))
  })

  it('keeps what was fetched later or at the same time', () => {
    expect(decided({}, { fetchedAt: at(1) })).toEqual(kept('stale'))
    expect(decided({}, { fetchedAt: at(10), content: 'b' })).toEqual(kept('stale'))
    expect(decided({ extent: 'cut' }, { extent: 'teaser', fetchedAt: at(1) })).toEqual(kept('stale'))
  })

  it('compares times, not their spelling', () => {
    expect(decided({ fetchedAt: '2026-11-20T10:00:00Z' }, { fetchedAt: '2026-11-20T10:00:00.000Z' })).toEqual(kept('stale'))
  })

  it('writes a newer fetch of the same content as unchanged, and of another as indexed', () => {
    expect(decided({}, {})).toEqual(written('unchanged'))
    expect(decided({}, { content: 'b' })).toEqual(written('indexed'))
    expect(decided({ extent: 'teaser' }, { extent: 'cut', content: 'b' })).toEqual(written('indexed'))
  })
})

/** Captures of one article, at times of their own, each in one or more revisions, some of them run twice; all of one length, so that the half-length rule says nothing. */
const captures = fc
  .array(
    fc.record({
      extent: fc.constantFrom('whole' as const, 'teaser' as const, 'cut' as const),
      content: fc.constantFrom('a', 'b'),
      revs: fc.integer({ min: 1, max: 3 }),
      runs: fc.integer({ min: 1, max: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) =>
    all.flatMap(({ extent, content, revs, runs }, capture) =>
      Array.from({ length: revs * runs }, (_, nth) => incoming({ capture, rev: nth % revs, extent, content, fetchedAt: at(capture) })),
    ),
  )

const inAnyOrder = captures.chain((all) =>
  fc.tuple(fc.shuffledSubarray(all, { minLength: all.length }), fc.shuffledSubarray(all, { minLength: all.length })),
)

interface Store {
  version: number
  document: StoredArticle | null
}

function apply(store: Store, capture: IncomingArticle): Store {
  if (!decide(store.document, capture).write) return store
  return { version: store.version + 1, document: buildDocument(capture, store.document, NOW) }
}

/** The document without what is gathered over its captures. */
function essence({ document }: Store) {
  return document && { ...document, urls: null, firstSeenAt: null }
}

const EMPTY: Store = { version: 0, document: null }

/** Looks and writes of workers in any interleaving; a write that something else came before looks again. */
function interleave(queues: IncomingArticle[][], turn: () => number): Store {
  const looked: (Store | null)[] = queues.map(() => null)
  let store = EMPTY
  while (queues.some((queue) => queue.length > 0)) {
    const worker = turn()
    const capture = queues[worker]![0]
    if (capture === undefined) continue
    const look = looked[worker] ?? null
    looked[worker] = look === null ? store : null
    if (look === null || look.version !== store.version) continue
    store = apply(look, capture)
    queues[worker]!.shift()
  }
  return store
}

describe('the last document', () => {
  it('is the same for every order of captures, and for a second run over all of them', () => {
    fc.assert(
      fc.property(inAnyOrder, ([some, others]) => {
        const last = some.reduce(apply, EMPTY)
        expect(essence(last)).toEqual(essence(others.reduce(apply, EMPTY)))
        expect(essence(others.reduce(apply, last))).toEqual(essence(last))
      }),
      { numRuns: 500 },
    )
  })

  it('is the same when looks and writes of three workers interleave and a write that came too late looks again', () => {
    fc.assert(
      fc.property(inAnyOrder, fc.infiniteStream(fc.nat(2)), ([some, others], turns) => {
        const queues = [0, 1, 2].map((worker) => others.filter((_, nth) => nth % 3 === worker))
        expect(essence(interleave(queues, () => turns.next().value))).toEqual(essence(some.reduce(apply, EMPTY)))
      }),
      { numRuns: 500 },
    )
  })

  it('depends on the order where one is under half as long: the recorded ends say which order it was', () => {
    const [long, short] = [incoming({ capture: 1, fetchedAt: at(1) }), incoming({ capture: 2, fetchedAt: at(2), wordCount: 10 })]
    expect(essence([long, short].reduce(apply, EMPTY))).not.toEqual(essence([short, long].reduce(apply, EMPTY)))
  })
})
