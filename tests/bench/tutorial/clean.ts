import { Readability } from '@mozilla/readability'
import { Worker } from 'bullmq'
import { JSDOM } from 'jsdom'
import { type CleanJob, concurrency, connection, extractMetadataQueue, logFailed } from './queues.ts'

const worker = new Worker<CleanJob>(
  'clean',
  async (job) => {
    const { url, html } = job.data
    const article = new Readability(new JSDOM(html, { url }).window.document).parse()
    if (!article) throw new Error(`no article at ${url}`)
    await extractMetadataQueue.add('extract-metadata', { url, html, title: article.title ?? '', text: article.textContent ?? '' })
  },
  { connection, concurrency },
)
worker.on('failed', logFailed)
