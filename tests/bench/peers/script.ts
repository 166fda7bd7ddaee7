import { execFile } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LOCAL } from '@copydesk/cli'
import type { Peer, Running, Site } from './peer.ts'
import { supervise } from './supervise.ts'

const run = promisify(execFile)
const FOLDER = join(import.meta.dirname, '../script')
const VENV = join(LOCAL, 'bench/venv')
const PYTHON = join(VENV, 'bin/python')
const PROCESSES = 2

/** A plain Python script: two processes over a shared list. */
export const script: Peer = {
  name: 'script',
  title: 'Python script',
  note: "requests (8 threads), trafilatura and bulk in batches of 50, a progress file after each batch, a hash of the URL as the document's id",
  prepare,
  start,
}

async function prepare(): Promise<string | null> {
  try {
    await run('python3', ['-m', 'venv', VENV])
    await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--requirement', join(FOLDER, 'requirements.txt')])
    await run(PYTHON, ['-c', 'import elasticsearch, requests, trafilatura'])
    return null
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return `Python and its packages can't be installed here: ${reason}`
  }
}

async function start({ folder, elasticsearchUrl, index }: Site): Promise<Running> {
  const list = join(folder, 'urls.txt')
  await writeFile(list, '')
  const programs = Array.from({ length: PROCESSES }, (_, at) => ({
    name: `script-${at + 1}`,
    command: [PYTHON, join(FOLDER, 'ingest.py'), list, String(at), String(PROCESSES)],
  }))
  const workers = supervise(programs, { folder, env: { ELASTICSEARCH_URL: elasticsearchUrl, INDEX: index } })
  const listed: string[] = []

  /** The addresses of each process that it has not counted as done. */
  async function left(): Promise<string[]> {
    const shares = await Promise.all(
      programs.map(async (_, number) => {
        const done = Number(await readFile(list.replace('.txt', `.${number}.done`), 'utf8').catch(() => '0'))
        return listed.filter((_, at) => at % PROCESSES === number).slice(done)
      }),
    )
    return shares.flat()
  }

  return {
    workers: workers.running,
    kill: workers.kill,
    roots: () => workers.running().map(({ pid }) => pid),
    redis: null,
    documents: index,
    async ingest(urls) {
      listed.push(...urls)
      await appendFile(list, urls.map((url) => `${url}\n`).join(''))
    },
    inFlight: async () => (await left()).length,
    stuck: async (without) => new Set(await left()).intersection(without).size,
    stop: workers.stop,
  }
}
