import { Worker } from 'bullmq'
import { JSDOM } from 'jsdom'
import { concurrency, connection, type ExtractMetadataJob, indexQueue, logFailed } from './queues.ts'

const worker = new Worker<ExtractMetadataJob>(
  'extract-metadata',
  async (job) => {
    const { url, html, title, text } = job.data
    const { document } = new JSDOM(html, { url }).window
    const meta = (selector: string) => document.querySelector(selector)?.getAttribute('content') ?? null
    await indexQueue.add('index', {
      url,
      text,
      title: meta('meta[property="og:title"]') ?? title,
      byline: meta('meta[name="author"]'),
      publishedAt: meta('meta[property="article:published_time"]'),
    })
  },
  { connection, concurrency },
)
worker.on('failed', logFailed)
