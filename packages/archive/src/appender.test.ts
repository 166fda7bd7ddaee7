import { describe, expect, it } from 'vitest'
import { createAppender } from './appender.ts'
import type { Segment } from './segment.ts'
import { silent } from './test-data.ts'

/** A segment in memory whose sync lasts until the test says so, and which fails when told. */
function memorySegments() {
  const made: { name: string; batches: number[]; state: 'open' | 'closed' | 'abandoned' }[] = []
  const faults: Error[] = []
  const createSegment = async (): Promise<Segment> => {
    const segment = { name: `raw-${made.length}`, batches: [] as number[], state: 'open' as 'open' | 'closed' | 'abandoned' }
    made.push(segment)
    let size = 100
    return {
      name: segment.name,
      size: () => size,
      append: async (members) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        const fault = faults.shift()
        if (fault !== undefined) throw fault
        segment.batches.push(members.length)
        size += members.reduce((sum, member) => sum + member.byteLength, 0)
      },
      close: async () => void (segment.state = 'closed'),
      abandon: async () => void (segment.state = 'abandoned'),
    }
  }
  return { made, faults, createSegment }
}

function appenderOn(segments: ReturnType<typeof memorySegments>, options: { rotateBytes?: number; rotateMs?: number } = {}) {
  const { createSegment } = segments
  return createAppender({
    kind: 'raw',
    folder: '/archive',
    log: silent,
    createSegment,
    rotateBytes: 1e9,
    rotateMs: 1e6,
    maxBatch: 32,
    ...options,
  })
}

const member = Buffer.alloc(10)

describe('an appender', () => {
  it('writes what arrives while a batch is synced as the next batch, at most 32 under one sync', async () => {
    const segments = memorySegments()
    const appender = appenderOn(segments)
    const first = appender.append([member])
    await new Promise((resolve) => setTimeout(resolve, 2))
    const references = await Promise.all([first, ...Array.from({ length: 70 }, () => appender.append([member]))])
    expect(segments.made[0]?.batches).toEqual([1, 32, 32, 6])
    expect(references.map(({ offset }) => offset)).toEqual(Array.from({ length: 71 }, (_, at) => 100 + 10 * at))
  })

  it('gives one reference for members that belong together', async () => {
    const appender = appenderOn(memorySegments())
    await appender.append([member])
    expect(await appender.append([member, member, member])).toEqual({ store: 'file', segment: 'raw-0', offset: 110, length: 30 })
  })

  it('rejects the batch that failed, all of it, and goes on in a new segment', async () => {
    const segments = memorySegments()
    const appender = appenderOn(segments)
    await appender.append([member])
    segments.faults.push(Object.assign(new Error('write'), { code: 'ENOSPC' }))
    const failed = await Promise.allSettled([appender.append([member]), appender.append([member])])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(failed[0]).toMatchObject({ reason: { name: 'RetryableError', code: 'archive-unavailable' } })
    expect((failed[0] as PromiseRejectedResult).reason.message).toBe(
      'cannot write to the archive in /archive: the disk is full: free space, or give the archive a larger disk',
    )
    expect(await appender.append([member])).toMatchObject({ segment: 'raw-1', offset: 100 })
    expect(segments.made.map(({ state }) => state)).toEqual(['abandoned', 'open'])
  })

  it('closes a segment that has reached its size, and one that has reached its age without anything new', async () => {
    const segments = memorySegments()
    const appender = appenderOn(segments, { rotateBytes: 120, rotateMs: 30 })
    await appender.append([member])
    await appender.append([member])
    expect(segments.made[0]?.state).toBe('closed')
    await appender.append([member])
    expect(segments.made[1]?.state).toBe('open')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(segments.made[1]?.state).toBe('closed')
  })

  it('writes what waits before it closes, and takes nothing after', async () => {
    const segments = memorySegments()
    const appender = appenderOn(segments)
    const waiting = Array.from({ length: 40 }, () => appender.append([member]))
    await appender.close()
    await Promise.all(waiting)
    expect(segments.made).toMatchObject([{ batches: [32, 8], state: 'closed' }])
    await expect(appender.append([member])).rejects.toThrow('shutting down')
  })
})
