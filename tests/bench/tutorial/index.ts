import { createHash } from 'node:crypto'
import { Client } from '@elastic/elasticsearch'
import { Worker } from 'bullmq'
import { concurrency, connection, type IndexJob, logFailed } from './queues.ts'

const client = new Client({ node: process.env['ELASTICSEARCH_URL'] ?? 'http://localhost:9200' })
const index = process.env['INDEX'] ?? 'articles'

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
