import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureRedis, stopLocal } from '@copydesk/cli'
import { CaptureId, type Envelope } from '@copydesk/contracts'
import { connectRedis, createQueues, createRegistry, type EpochGate } from '@copydesk/queue'
import { v7 as uuidv7 } from 'uuid'
import { inject, onTestFinished } from 'vitest'

type Redis = ReturnType<typeof connectRedis>

/** A log that is silent, for what is tested without a process of its own. */
export const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** A gate that is open. */
export const openGate: EpochGate = { epoch: () => 'epoch-1', reason: () => null, onChange() {}, start: async () => undefined, close() {} }

/** Every key under a prefix, sorted. */
export async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  return (await redis.keys(`${prefix}:*`)).toSorted()
}

/** A part of the tests' Redis of one's own (or of the one at `redisUrl`), with its epoch set, and a registry and queues on it; emptied when the test is over. */
export async function redisPart(epoch = 'epoch-1', redisUrl = inject('redisUrl')) {
  const prefix = `{test-${randomUUID().slice(0, 8)}}`
  const redis = connectRedis(redisUrl, 'worker', () => undefined)
  await redis.set(`${prefix}:epoch`, epoch)
  const registry = createRegistry(redis, { prefix, epoch: () => epoch })
  const queues = createQueues({ redisUrl, role: 'worker', prefix, onError: () => undefined })
  onTestFinished(async () => {
    await queues.close()
    const keys = await keysOf(redis, prefix)
    if (keys.length > 0) await redis.del(keys)
    redis.disconnect()
  })
  return { redis, redisUrl, prefix, registry, queues }
}

/** A Redis of one's own, which may be filled, frozen and broken; stopped when the test is over. */
export async function ownRedis(): Promise<{ url: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'copydesk-redis-'))
  const { url } = await ensureRedis({ folder, log: () => undefined })
  onTestFinished(async () => {
    // A test may have taken away its folder, and with it what stopLocal knows it by.
    const redis = connectRedis(url, 'worker', () => undefined)
    await Promise.race([redis.shutdown('NOSAVE').catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2000))])
    redis.disconnect()
    await stopLocal(folder)
    await rm(folder, { recursive: true, force: true })
  })
  return { url, folder }
}

export function newCaptureId(): CaptureId {
  return CaptureId.parse(uuidv7())
}

export function fetchEnvelope(captureId = newCaptureId(), url = 'https://news.example/a'): Envelope {
  return { v: 1, captureId, rev: 0, url, ref: null }
}
