import { Queue, type Job } from 'bullmq'

/** What each queue's jobs carry: the page itself, as tutorials do it. */
export interface FetchJob {
  url: string
}
export interface CleanJob {
  url: string
  html: string
}
export interface ExtractMetadataJob extends CleanJob {
  title: string
  text: string
}
export interface IndexJob {
  url: string
  title: string
  text: string
  byline: string | null
  publishedAt: string | null
}

export const connection = { url: process.env['REDIS_URL'] ?? 'redis://localhost:6379' }

/** Three attempts with exponential back-off: what most BullMQ tutorials give. All else is BullMQ's default. */
const defaultJobOptions = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } }

export const fetchQueue = new Queue<FetchJob>('fetch', { connection, defaultJobOptions })
export const cleanQueue = new Queue<CleanJob>('clean', { connection, defaultJobOptions })
export const extractMetadataQueue = new Queue<ExtractMetadataJob>('extract-metadata', { connection, defaultJobOptions })
export const indexQueue = new Queue<IndexJob>('index', { connection, defaultJobOptions })

/** Jobs that each process works on at once. */
export const concurrency = 5

/** Logs a job that failed. */
export function logFailed(job: Job | undefined, error: Error): void {
  console.error(`${job?.queueName} ${job?.id} failed: ${error.message}`)
}
