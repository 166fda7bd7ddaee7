import { randomUUID } from 'node:crypto'
import { CaptureId, type Envelope } from '@copydesk/contracts'
import { connectRedis, createQueues, createRegistry } from '@copydesk/queue'
import { v7 as uuidv7 } from 'uuid'
import { inject, onTestFinished } from 'vitest'

/** A log that is silent, for what is tested without a process of its own. */
export const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** A part of the tests' Redis of one's own, with its epoch set, and a registry and queues on it; emptied when the test is over. */
export async function redisPart(epoch = 'epoch-1') {
  const redisUrl = inject('redisUrl')
  const prefix = `{test-${randomUUID().slice(0, 8)}}`
  const redis = connectRedis(redisUrl, 'worker', () => undefined)
  await redis.set(`${prefix}:epoch`, epoch)
  const registry = createRegistry(redis, { prefix, epoch: () => epoch })
  const queues = createQueues({ redisUrl, role: 'worker', prefix, onError: () => undefined })
  onTestFinished(async () => {
    await queues.close()
    const keys = await redis.keys(`${prefix.replaceAll('{', '\\{')}:*`)
    if (keys.length > 0) await redis.del(keys)
    redis.disconnect()
  })
  return { redis, redisUrl, prefix, registry, queues }
}

export function newCaptureId(): CaptureId {
  return CaptureId.parse(uuidv7())
}

export function fetchEnvelope(captureId = newCaptureId(), url = 'https://news.example/a'): Envelope {
  return { v: 1, captureId, rev: 0, url, ref: null }
}
