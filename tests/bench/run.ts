import { execFileSync } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureElasticsearch, LOCAL, ROOT, stopLocal } from '@copydesk/cli'
import { createSearchClient } from '@copydesk/search'
import { dropArticles } from '../support/search.ts'
import { type DrillResult, runDrill } from './drill.ts'
import { copydesk } from './peers/copydesk.ts'
import type { Peer } from './peers/peer.ts'
import { script } from './peers/script.ts'
import { tutorial } from './peers/tutorial.ts'

const PEERS: Peer[] = [copydesk, tutorial, script]
const USAGE = `usage: ./copydesk bench peers [${PEERS.map(({ name }) => name).join('|')}]… [--n 2000] [--kills 25] [--over SECONDS] [--seed S]
Kills workers of Copydesk, and of what people run instead, by one schedule, and counts what that cost. Linux only.`
const FOLDER = join(LOCAL, 'bench/peers')
/** An Elasticsearch of its own, so that nobody else's work is measured with it. */
const STORES = join(LOCAL, 'bench/stores')
const USUAL_KILLS = 25

/** What is kept of a run, as `.local/bench/peers/<name>.json` (with another number of kills than usual, `<name>-<kills>.json`). */
type Report = {
  name: string
  title: string
  note: string
  n: number
  kills: number
  overSeconds: number
  seed: number
  commit: string
  date: string
} & (Rounded | { skipped: string })
type Rounded = { [Key in keyof DrillResult]: DrillResult[Key] }

const { values, positionals } = readArguments()
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const pages = Number(values.n ?? 2000)
const kills = Number(values.kills ?? USUAL_KILLS)
const overSeconds = Number(values.over ?? (kills === 50 ? 100 : kills * 0.85))
const seed = Number(values.seed ?? randomInt(1_000_000))
const peers = positionals.length === 0 ? PEERS : PEERS.filter(({ name }) => positionals.includes(name))
if (positionals.some((each) => PEERS.every(({ name }) => name !== each))) refuse(`there is no ${positionals.join(' ')} among them`)
if ([pages, kills, overSeconds, seed].some((number) => !(number >= 0)) || process.platform !== 'linux') {
  refuse(process.platform === 'linux' ? 'a number is missing' : 'processes are measured by /proc, which only Linux has')
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

const notice = (line: string): void => console.error(`  ${line}`)
await mkdir(FOLDER, { recursive: true })
const elasticsearch = await ensureElasticsearch({ folder: STORES, log: notice })
const reports: Report[] = []
try {
  for (const peer of peers) reports.push(await measure(peer))
} finally {
  if (elasticsearch.started) await stopLocal(STORES)
}
console.log(`${pages} pages, half of them changed and ingested again; ${kills} kills over ${overSeconds} s, seed ${seed}`)
console.table(Object.fromEntries(reports.map((report) => [report.title, row(report)])))

function readArguments() {
  try {
    const string = { type: 'string' } as const
    const options = { n: string, kills: string, over: string, seed: string, help: { type: 'boolean', short: 'h' } } as const
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    return refuse((error as Error).message)
  }
}

function refuse(reason: string): never {
  console.error(`copydesk: ${reason}\n${USAGE}`)
  process.exit(2)
}

async function measure(peer: Peer): Promise<Report> {
  const { name, title, note } = peer
  console.error(`${title}: ${kills} kills over ${overSeconds} s, seed ${seed}`)
  const about = { name, title, note, n: pages, kills, overSeconds, seed, commit: commit(), date: new Date().toISOString() }
  const skipped = await peer.prepare()
  const report: Report = skipped === null ? { ...about, ...rounded(await drill(peer)) } : { ...about, skipped }
  const file = kills === USUAL_KILLS ? `${name}.json` : `${name}-${kills}.json`
  await writeFile(join(FOLDER, file), `${JSON.stringify(report, null, 2)}\n`)
  return report
}

async function drill(peer: Peer): Promise<DrillResult> {
  const index = `bench-${randomUUID().slice(0, 8)}`
  const client = createSearchClient({ url: elasticsearch.url })
  try {
    return await runDrill(peer, { pages, kills, overSeconds, seed, index, elasticsearch, notice, signal: interrupted.signal })
  } finally {
    await dropArticles(client, index)
    await client.indices.delete({ index }, { ignore: [404] })
    await client.close()
  }
}

function row(report: Report): object {
  if ('skipped' in report) return { skipped: report.skipped }
  const { lost, old, doubled, stuck, seconds, cpuSeconds, redisCpuSeconds, elasticsearchCpuSeconds } = report
  const { peakMemoryMiB, peakProportionalMiB, redisPeakMiB } = report
  return {
    lost,
    'of these old': old,
    doubled,
    stuck,
    seconds,
    'CPU s': cpuSeconds,
    'Redis CPU s': redisCpuSeconds,
    'Elasticsearch CPU s': elasticsearchCpuSeconds,
    'memory MiB (RSS)': peakMemoryMiB,
    '(PSS)': peakProportionalMiB,
    'Redis MiB': redisPeakMiB,
  }
}

function rounded(result: DrillResult): Rounded {
  return Object.fromEntries(
    Object.entries(result).map(([key, value]) => [key, value === null ? null : Math.round(value * 10) / 10]),
  ) as unknown as Rounded
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
}
