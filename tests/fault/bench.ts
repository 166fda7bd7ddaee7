import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureElasticsearch, LOCAL, ROOT, stopLocal } from '@copydesk/cli'
import { DRILLS } from './drills/index.ts'
import { playMutant, readMutants } from './report/mutants.ts'
import { faultsPage } from './report/page.ts'
import { keepMutants, keepResult, type MutantResult, readResults, readSetting, type Result } from './report/results.ts'
import { byKind, createStage, playDrill } from './rig/drill.ts'

const USAGE = `usage: ./copydesk bench faults [drill…] [--n 2000] [--seed S] [--small] [--json] [--mutants [mutant…]]
drills: ${DRILLS.map(({ name }) => name).join(' ')}`
const STORES = join(LOCAL, 'bench')
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
  } as const
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const [n, seed] = [Number(values.n), Number(values.seed)]
    if (!Number.isInteger(n) || n < 20) return usage('--n is a whole number, 20 or more')
    if (!Number.isInteger(seed)) return usage('--seed is a whole number')
    const known = values.mutants ? readMutants().map(({ name }) => name) : DRILLS.map(({ name }) => name)
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
      logs: join(LOCAL, 'bench/faults/logs'),
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
  const results: MutantResult[] = []
  for (const mutant of readMutants().filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
    say(`${mutant.name}: without ${mutant.guard}`)
    const result = await playMutant(mutant, { seed, elasticsearchUrl: elasticsearch.url })
    results.push(result)
    const what = result.caught
      ? `noticed by ${result.drill}: ${result.noticed.slice(0, 3).join(' | ')}`
      : `NOBODY NOTICED (${result.drill})`
    say(`  ${what}; ${result.seconds} s`)
  }
  if (chosen.length === 0) {
    keepMutants({ ...(await readSetting(elasticsearch.url)), seed, mutants: results })
    writePage()
  }
  if (json) console.log(JSON.stringify(results))
  else for (const { mutant, caught, drill } of results) console.log(`${mutant}: ${caught ? `noticed by ${drill}` : 'NOBODY NOTICED'}`)
  return results.every(({ caught }) => caught)
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
