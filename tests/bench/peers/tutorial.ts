import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ensureRedis, stopLocal } from '@copydesk/cli'
import { Queue } from 'bullmq'
import type { Peer, Running, Site } from './peer.ts'
import { supervise } from './supervise.ts'

const FOLDER = join(import.meta.dirname, '../tutorial')
const STAGES = ['fetch', 'clean', 'extract-metadata', 'index']
const INSTANCES = 2

/** The pipeline that a BullMQ tutorial gives: two processes of each of four workers. */
export const tutorial: Peer = {
  name: 'tutorial',
  title: 'BullMQ tutorial',
  note: "BullMQ's defaults (30 s lock, a job may stall once, finished jobs are kept), Redis with our redis.conf, 3 attempts with exponential back-off, 5 jobs at once in each of 8 processes, the page in the job's data, a hash of the URL as the document's id",
  prepare: async () => null,
  start,
}

async function start({ folder, elasticsearchUrl, index, notice }: Site): Promise<Running> {
  const redis = await ensureRedis({ folder, log: notice })
  const env = { REDIS_URL: redis.url, ELASTICSEARCH_URL: elasticsearchUrl, INDEX: index }
  const programs = STAGES.flatMap((stage) =>
    Array.from({ length: INSTANCES }, (_, at) => ({
      name: `${stage}-${at + 1}`,
      command: [process.execPath, join(FOLDER, `${stage}.ts`)],
    })),
  )
  const workers = supervise(programs, { folder, env })
  const producer = spawn(process.execPath, [join(FOLDER, 'ingest.ts')], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const queues = STAGES.map((name) => new Queue<{ url: string }>(name, { connection: { url: redis.url } }))

  async function inFlight(): Promise<number> {
    const counts = await Promise.all(queues.map(async (queue) => await queue.getJobCountByTypes('wait', 'active', 'delayed')))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async function stuck(without: ReadonlySet<string>): Promise<number> {
    const jobs = await Promise.all(queues.map(async (queue) => await queue.getJobs(['wait', 'active', 'delayed', 'failed'])))
    return new Set(jobs.flat().map(({ data }) => data.url)).intersection(without).size
  }

  return {
    workers: workers.running,
    kill: workers.kill,
    roots: () => [...workers.running().map(({ pid }) => pid), producer.pid ?? 0],
    redis,
    documents: index,
    async ingest(urls) {
      if (!producer.stdin.write(urls.map((url) => `${url}\n`).join(''))) await once(producer.stdin, 'drain')
    },
    inFlight,
    stuck,
    async stop() {
      const ended = once(producer, 'exit')
      producer.kill('SIGKILL')
      await Promise.all([ended, workers.stop(), ...queues.map(async (queue) => await queue.close())])
      await stopLocal(folder)
    },
  }
}
