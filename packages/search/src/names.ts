import type { ArticleId } from '@copydesk/contracts'

/** What things are called in Elasticsearch. Months are `2026.11`. */
export interface SearchNames {
  /** The alias that searches read: live articles. */
  live: string
  /** The alias over all partitions, retracted articles included. */
  all: string
  /** The alias through which one month's partition is written: a month can be rebuilt and swapped, and writers know nothing. */
  write(month: string): string
  partition(month: string): string
  partitions: string
  template: string
  settingsComponent: string
  mappingsComponent: string
}

/** The names under a prefix; tests have prefixes of their own. */
export function createNames(prefix = 'articles'): SearchNames {
  return {
    live: prefix,
    all: `${prefix}-all`,
    write: (month) => `${prefix}-w-${month}`,
    partition: (month) => `${prefix}_v1-${month}`,
    partitions: `${prefix}_v1-*`,
    template: `${prefix}_v1`,
    settingsComponent: `${prefix}-settings`,
    mappingsComponent: `${prefix}-mappings`,
  }
}

/** The month (UTC) of a time, `2026.11`: an article's home is that of the capture that was written first. */
export function monthOf(time: string | number): string {
  return new Date(time).toISOString().slice(0, 7).replace('-', '.')
}

/** The month after another. */
export function monthAfter(month: string): string {
  const [year = 0, number = 0] = month.split('.').map(Number)
  return monthOf(Date.UTC(year, number))
}

/** The month in a partition's name, of whatever version; null where it is no partition. */
export function partitionMonth(partition: string): string | null {
  return /-(\d{4}\.\d{2})$/.exec(partition)?.[1] ?? null
}

/** By article, its home month. */
export type Homes = Map<ArticleId, string>
