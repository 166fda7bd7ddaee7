import { Worker } from 'bullmq'
import { cleanQueue, concurrency, connection, type FetchJob, logFailed } from './queues.ts'

const worker = new Worker<FetchJob>(
  'fetch',
  async (job) => {
    const { url } = job.data
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    await cleanQueue.add('clean', { url, html: await response.text() })
  },
  { connection, concurrency },
)
worker.on('failed', logFailed)
