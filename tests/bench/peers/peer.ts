/** A pipeline that is measured: ours, or what people run instead. */
export interface Peer {
  name: string
  title: string
  /** How it is run, in one sentence, where there was a choice. */
  note: string
  /** Installs what it needs; the reason where that can't be, and then it is skipped. */
  prepare: () => Promise<string | null>
  start: (at: Site) => Promise<Running>
}

/** Where it runs. */
export interface Site {
  /** A folder of its own, empty. */
  folder: string
  elasticsearchUrl: string
  /** The index, or what stands before the indices, that is its own. */
  index: string
  originPort: number
  notice: (line: string) => void
}

/** A pipeline that runs. */
export interface Running {
  /** The processes that a kill may meet, those that run now. */
  workers: () => { name: string; pid: number }[]
  /** Ends one at once; it is started again at once. */
  kill: (name: string) => void
  /** The processes that are measured, with all their children; Redis is not among them. */
  roots: () => number[]
  redis: { url: string; pid: number } | null
  /** The index that holds the documents; each has `url` and `text`. */
  documents: string
  ingest: (urls: string[]) => Promise<void>
  /** Pages that wait or are worked on. */
  inFlight: () => Promise<number>
  /** Pages that still wait, or have failed, among those without their right document. */
  stuck: (without: ReadonlySet<string>) => Promise<number>
  stop: () => Promise<void>
}
