import { createInterface } from 'node:readline'
import { fetchQueue } from './queues.ts'

// Queues each address that comes, one a line, on standard input.
for await (const url of createInterface({ input: process.stdin })) await fetchQueue.add('fetch', { url })
process.exit(0)
