import { type Log, type RateLimitedError, RetryableError } from '@copydesk/pipeline'
import type { Client } from '@elastic/elasticsearch'
import type { Write } from './bulk.ts'
import type { CircuitInUse } from './circuit.ts'
import { type Decision, decide } from './decide.ts'
import { buildDocument, type IncomingArticle } from './document.ts'
import type { Fault } from './faults.ts'
import type { HomeFinder } from './homes.ts'
import { type Look, look, type Looks } from './look.ts'
import { type Homes, monthOf, type SearchNames } from './names.ts'
import { type GoesOn, patiently } from './patience.ts'
import { circuitFault, type Indexed, type Item, settle, showsLife } from './settle.ts'
import { ensurePartition } from './setup.ts'
import { writePatiently } from './write.ts'

interface RoundOptions {
  client: Client
  names: SearchNames
  log: Log
  now: () => number
  goesOn: GoesOn
  finder: HomeFinder
  /** The error of an article that is put back. */
  unavailable: (fault: Fault) => RateLimitedError
  circuit: CircuitInUse | undefined
}

interface Planned {
  item: Item
  decision: Decision
  write: Write
}

/** What a round leaves. */
export interface Left {
  /** To be looked at again: another wrote them meanwhile, or nobody knows whether they were written. */
  items: Item[]
  /** The fault behind it, where it was one of Elasticsearch. */
  fault: Fault | null
}

/** One round of a batch, each article in it another one: find homes, look, decide, write. All items that don't come back are settled. Throws FaultError or the client's errors where Elasticsearch can't be asked, and what the home store throws. */
export function createRound({ client, names, log, now, goesOn, finder, unavailable, circuit }: RoundOptions) {
  /** The current version that a conflict named. A deleted document leaves its version behind for a minute, which no look shows. */
  const conflicts = new WeakMap<Item, number>()
  /** Those whose last write had no answer. */
  const uncertain = new WeakSet<Item>()

  return async function decideAndWrite(items: Item[]): Promise<Left> {
    const homes = await finder.find(new Map(items.map(({ input }) => [input.article.articleId, monthOf(input.fetchedAt)])))
    const looks = await patiently(() => look(client, names, homes), goesOn)
    await makePartitions(looks.missing)
    const planned = items.flatMap((item) => {
      try {
        return plan(item, looks, homes) ?? []
      } catch (error) {
        // A fault of this article's alone: its neighbours go on.
        item.reject(error)
        return []
      }
    })
    if (planned.length === 0) return { items: [], fault: null }
    const results = await writePatiently(
      client,
      planned.map(({ write }) => write),
      goesOn,
    )
    const isAnswered = showsLife(results)
    const fault = circuitFault(results)
    if (fault !== null) circuit?.failed(fault)
    else if (isAnswered) circuit?.succeeded()
    const left: Left = { items: [], fault: null }
    const months: string[] = []
    for (const [at, { item, decision }] of planned.entries()) {
      const result = results[at]!
      if (settle(item, endOf(decision), result, isAnswered ? giveUp : unavailable)) continue
      left.items.push(item)
      if (result.state === 'no-partition') months.push(homes.get(item.input.article.articleId)!)
      if (result.state === 'conflict' && result.version !== undefined) conflicts.set(item, result.version)
      if (result.state === 'lost') {
        uncertain.add(item)
        left.fault = result.fault
      }
    }
    await makePartitions(months)
    return left
  }

  /** What is to be written for an item; null where it is settled without. */
  function plan(item: Item, { byArticle }: Looks, homes: Homes): Planned | null {
    const { articleId } = item.input.article
    const { stored, version, error } = byArticle.get(articleId)!
    if (error !== undefined) {
      item.reject(error)
      return null
    }
    const decision = decide(stored, item.input)
    if (!decision.write) {
      item.resolve({ ...endOf(decision), written: uncertain.has(item) && holds(stored, item.input) })
      return null
    }
    const document = buildDocument(item.input, stored?.status === 'live' ? stored : null, now())
    const after = stored === null ? Math.max(version, conflicts.get(item) ?? 0) : version
    return { item, decision, write: { articleId, alias: names.write(homes.get(articleId)!), version: after + 1, document } }
  }

  /** Where the server works, what it breaks at is this document: tried again, and not for ever. */
  function giveUp(fault: Fault): Error {
    if (fault.status !== 500) return unavailable(fault)
    return new RetryableError('search-rejected', `Elasticsearch fails at the document (500 ${fault.type}): see its log`)
  }

  /** Partitions vanish when Elasticsearch is emptied under a running worker, and older months have none yet. */
  async function makePartitions(months: string[]): Promise<void> {
    for (const month of new Set(months)) {
      await patiently(() => ensurePartition(client, month, names), goesOn)
      log.info({ month }, 'partition made')
    }
  }
}

/** Whether what is stored is this very capture. */
function holds(stored: Look['stored'], { captureId, rev }: IncomingArticle): boolean {
  return stored?.status === 'live' && stored.captureId === captureId && stored.rev === rev
}

function endOf({ outcome, code }: Decision): Omit<Indexed, 'written'> {
  return { outcome, ...(code !== undefined && { code }) }
}
