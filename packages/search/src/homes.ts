import type { ArticleId } from '@copydesk/contracts'
import { RateLimitedError } from '@copydesk/pipeline'
import type { Client } from '@elastic/elasticsearch'
import type { Homes, SearchNames } from './names.ts'
import type { GoesOn } from './patience.ts'
import { createHomeSearch } from './search-homes.ts'

/** Where homes are remembered; the queue adapter implements it in Redis. */
export interface HomeStore {
  /** The homes that are remembered. */
  get(articleIds: ArticleId[]): Promise<ReadonlyMap<ArticleId, string>>
  /** Claims a month for an article; answers the month that is its home, whoever claimed it first. */
  claim(articleId: ArticleId, month: string): Promise<string>
  /** Remembers a home that a search found. */
  remember(articleId: ArticleId, month: string): Promise<void>
  /** Whether the store is another one than at the last call (true at the first): what it remembered may be lost. */
  serverChanged(): Promise<boolean>
}

export interface HomeFinder {
  /** The home month of each article; for one that has none yet, the month given with it becomes it. */
  find(wanted: Homes): Promise<Homes>
}

/** Finds homes: remembered, else searched for, else claimed. `goesOn` says whether a question that failed for a passing reason may be asked again. Throws RateLimitedError where the store can't be asked, FaultError or the client's errors where Elasticsearch can't. */
export function createHomeFinder(client: Client, names: SearchNames, store: HomeStore, goesOn: GoesOn = () => true): HomeFinder {
  const search = createHomeSearch(client, names, goesOn)

  async function find(wanted: Homes): Promise<Homes> {
    const homes: Homes = new Map(await remembered(() => store.get([...wanted.keys()])))
    const unknown = [...wanted.keys()].filter((id) => !homes.has(id))
    if (unknown.length === 0) return homes
    // Asked after `get`: a store that was lost before it shows as changed now.
    const isChanged = await remembered(() => store.serverChanged())
    const found = await search(unknown, isChanged)
    const settle = async (id: ArticleId): Promise<string> => {
      const month = found.get(id)
      if (month === undefined) return store.claim(id, wanted.get(id)!)
      await store.remember(id, month)
      return month
    }
    const settled = await remembered(() => Promise.all(unknown.map(settle)))
    for (const [at, id] of unknown.entries()) homes.set(id, settled[at]!)
    return homes
  }

  return { find }
}

/** Asks the home store. Throws RateLimitedError `search-unavailable` where it can't be asked. */
export async function remembered<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    const message = "the articles' homes can't be looked up now: check that Redis runs and that REDIS_URL names it"
    throw new RateLimitedError('search-unavailable', 2_000 + Math.random() * 8_000, message, { cause: error })
  }
}
