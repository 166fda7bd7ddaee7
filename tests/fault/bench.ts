import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureElasticsearch, LOCAL, ROOT, stopLocal } from '@copydesk/cli'
import { DRILLS } from './drills/index.ts'
import { MUTANTS } from './mutants/index.ts'
import { playInProcess, runMutants } from './mutants/mutate.ts'
import { faultsPage } from './report/page.ts'
import { keepMutants, keepResult, readResults, readSetting, type Result } from './report/results.ts'
import { byKind, createStage, playDrill } from './rig/drill.ts'

const USAGE = `usage: ./copydesk bench faults [drill…] [--n 2000] [--seed S] [--small] [--json] [--mutants [mutant…]]
Breaks what the pipeline stands on, by a schedule that the seed decides, and counts what that cost; in full, writes docs/FAULTS.md.
  --n        how many pages
  --small    the form that ./copydesk test plays; writes nothing
  --mutants  takes out one guard after another, and plays small the drills that should notice
drills: ${DRILLS.map(({ name }) => name).join(' ')}
mutants: ${MUTANTS.map(({ name }) => name).join(' ')}`
const STORES = join(LOCAL, 'bench')
const LOGS = join(LOCAL, 'bench/faults/logs')
const say = (line: string): void => console.error(line)

function usage(problem: string): never {
  say(`copydesk: ${problem}\n${USAGE}`)
  process.exit(2)
}

function readArguments() {
  const options = {
    n: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    if (values.help) {
      console.log(USAGE)
      process.exit()
    }
    const [n, seed] = [Number(values.n), Number(values.seed)]
    if (!Number.isInteger(n) || n < 20) return usage('--n is a whole number, 20 or more')
    if (!Number.isInteger(seed)) return usage('--seed is a whole number')
    const known = values.mutants ? MUTANTS.map(({ name }) => name) : DRILLS.map(({ name }) => name)
    const unknown = positionals.find((name) => !known.includes(name))
    if (unknown !== undefined) return usage(`there is no ${values.mutants ? 'mutant' : 'drill'} called ${unknown}`)
    return { ...values, n, seed, chosen: positionals }
  } catch (error) {
    return usage((error as Error).message)
  }
}

const { n, seed, small, json, mutants, chosen } = readArguments()
const given = process.env['ELASTICSEARCH_URL']
const elasticsearch = given ? { url: given, started: false } : await ensureElasticsearch({ folder: STORES, log: say })
const stage = createStage({ elasticsearchUrl: elasticsearch.url, small })

async function end(code: number): Promise<never> {
  await stage.close()
  if (elasticsearch.started) await stopLocal(STORES)
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130))

async function playDrills(): Promise<boolean> {
  const results: Result[] = []
  for (const drill of byKind(DRILLS.filter(({ name }) => chosen.length === 0 || chosen.includes(name)))) {
    say(`${drill.name}: ${drill.title} (seed ${seed})`)
    const played = await playDrill(drill, stage, {
      n,
      seed,
      small,
      elasticsearchUrl: elasticsearch.url,
      logs: LOGS,
    })
    const result = { ...played, ...(await readSetting(elasticsearch.url)) }
    results.push(result)
    say(`  ${inShort(result)}`)
    for (const failure of result.failures) say(`  FAILED: ${failure}`)
    if (small) continue
    keepResult(result)
    writePage()
  }
  if (json) console.log(JSON.stringify(results))
  else for (const result of results) console.log(`${result.drill}: ${inShort(result)}`)
  return results.every(({ failures }) => failures.length === 0)
}

function inShort({ skipped, failures, lost, doubled, stuck, met, faults, late, seconds }: Result): string {
  if (skipped !== undefined) return `skipped: ${skipped}`
  const verdict = failures.length === 0 ? 'good' : 'FAILED'
  return `${verdict}: lost ${lost}, doubled ${doubled}, stuck ${stuck}; ${met} of ${faults} faults met work, ${late} late, ${Math.round(seconds)} s`
}

async function playMutants(): Promise<boolean> {
  const play = playInProcess(elasticsearch.url, LOGS)
  const results = await runMutants({ play, seed, ...(chosen.length > 0 && { only: chosen }), onProgress: say })
  keepMutants(await readSetting(elasticsearch.url), results, chosen.length > 0)
  writePage()
  if (json) console.log(JSON.stringify(results))
  else
    for (const { name, caught, drill, skipped } of results)
      console.log(`${name}: ${caught ? `caught by ${drill}` : (skipped ?? 'NOT CAUGHT')}`)
  return results.every(({ caught, skipped }) => caught || skipped !== undefined)
}

function writePage(): void {
  const order = DRILLS.map(({ name }) => name)
  writeFileSync(join(ROOT, 'docs/FAULTS.md'), faultsPage(readResults(), order))
}

try {
  const good = await (mutants ? playMutants() : playDrills())
  await end(good ? 0 : 1)
} catch (error) {
  say(`copydesk: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  await end(2)
}
