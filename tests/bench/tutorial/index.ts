import { createHash } from 'node:crypto'
import { Worker } from 'bullmq'
import { client, concurrency, connection, index, type IndexJob, logFailed } from './queues.ts'

const worker = new Worker<IndexJob>(
  'index',
  async (job) => {
    // A hash of the URL, the better of the two habits: many tutorials give no id, and then every repeat is a document more.
    const id = createHash('sha256').update(job.data.url).digest('hex')
    await client.index({ index, id, document: job.data })
  },
  { connection, concurrency },
)
worker.on('failed', logFailed)
