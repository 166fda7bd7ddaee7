import type { RecordKind, Reference } from '@copydesk/contracts'
import { type Log, RetryableError } from '@copydesk/pipeline'
import { explainDisk } from './explain-disk.ts'
import type { Segment } from './segment.ts'

export interface Appender {
  /** Resolves once the members, which lie together, are synced; rejects with a RetryableError, and then no reference to them exists. */
  append(members: readonly Uint8Array[]): Promise<Reference>
  /** Resolves when nothing waits to be written. */
  flush(): Promise<void>
  /** Writes what waits and closes the segment. */
  close(): Promise<void>
}

export interface AppenderOptions {
  kind: RecordKind
  /** For messages. */
  folder: string
  log: Log
  createSegment(): Promise<Segment>
  /** A segment is closed when it holds this many bytes, */
  rotateBytes: number
  /** or this many milliseconds after it was begun, idle or not. */
  rotateMs: number
  /** Appends under one sync. 8 to 32 is best: 32 members of 61 KB took 5 ms, 128 took 33. */
  maxBatch: number
}

interface Waiting {
  members: readonly Uint8Array[]
  resolve(reference: Reference): void
  reject(error: Error): void
}

/** Appends to one segment after another, in batches: what arrives while one batch is synced goes into the next. */
export function createAppender(options: AppenderOptions): Appender {
  const { kind, log } = options
  let waiting: Waiting[] = []
  let segment: Segment | null = null
  let rotation: NodeJS.Timeout | undefined
  let closed = false
  // Everything that touches the segment is done one after another, in this chain; it never rejects.
  let chain: Promise<void> = Promise.resolve()

  function enqueue(work: () => Promise<void>): Promise<void> {
    chain = chain.then(work)
    return chain
  }

  function append(members: readonly Uint8Array[]): Promise<Reference> {
    if (closed) return Promise.reject(new RetryableError('archive-unavailable', 'the archive is closed: the process is shutting down'))
    return new Promise((resolve, reject) => {
      waiting.push({ members, resolve, reject })
      if (waiting.length === 1) void enqueue(drain)
    })
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, options.maxBatch)
      waiting = waiting.slice(options.maxBatch)
      try {
        const references = await writeBatch(batch)
        batch.forEach((item, index) => item.resolve(references[index]!))
        if (segment !== null && segment.size() >= options.rotateBytes) await closeSegment()
      } catch (error) {
        await abandonSegment()
        const unavailable = new RetryableError('archive-unavailable', explainDisk('write to', options.folder, error), { cause: error })
        log.warn({ kind, err: unavailable.message }, 'archive append failed')
        for (const item of batch) item.reject(unavailable)
      }
    }
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<Reference[]> {
    segment ??= await begin()
    const references: Reference[] = []
    let offset = segment.size()
    for (const { members } of batch) {
      const length = members.reduce((sum, member) => sum + member.byteLength, 0)
      references.push({ store: 'file', segment: segment.name, offset, length })
      offset += length
    }
    await segment.append(batch.flatMap((item) => item.members))
    return references
  }

  async function begin(): Promise<Segment> {
    const begun = await options.createSegment()
    rotation = setTimeout(() => void enqueue(closeSegment), options.rotateMs)
    rotation.unref()
    return begun
  }

  async function closeSegment(): Promise<void> {
    clearTimeout(rotation)
    const closing = segment
    segment = null
    await closing?.close().catch((error: unknown) => {
      // What it holds is synced and is read under either name: only the name is left as it was.
      log.warn({ kind, segment: closing.name, err: String(error) }, 'segment not closed')
    })
  }

  async function abandonSegment(): Promise<void> {
    clearTimeout(rotation)
    const abandoned = segment
    segment = null
    await abandoned?.abandon().catch(() => undefined)
  }

  return {
    append,
    flush: () => enqueue(async () => undefined),
    close: () => {
      closed = true
      return enqueue(closeSegment)
    },
  }
}
