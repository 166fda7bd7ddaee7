import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { LOCAL, ROOT } from '@copydesk/cli'
import type { MutantResult } from '../mutants/mutate.ts'
import type { Played } from '../rig/drill.ts'

/** Where and on what a result was measured. */
export interface Setting {
  /** The commit's short hash, with a + where the work tree differs from it. */
  commit: string
  date: string
  machine: string
  versions: string
}
export type Result = Played & Setting

/** What became of the product without one of its guards, by guard. */
export type MutantReport = Setting & { mutants: (MutantResult & { commit: string })[] }

/** What another pipeline came to in the first drill, as tests/bench writes it. */
export type PeerResult = Record<'name' | 'title' | 'commit', string> &
  Record<'n' | 'kills' | 'seed', number> &
  Partial<Record<'skipped' | 'note', string>> &
  Partial<Record<'lost' | 'doubled' | 'stuck' | 'seconds' | 'cpuSeconds' | 'peakProportionalMiB' | 'redisPeakMiB', number>>

const FOLDER = join(LOCAL, 'bench/faults')
const MUTANTS = 'mutants.json'

/** This machine, this commit, these versions. */
export async function readSetting(elasticsearchUrl: string): Promise<Setting> {
  const { nodes } = (await (await fetch(`${elasticsearchUrl}/_nodes/_local?filter_path=nodes.*.version`)).json()) as {
    nodes: Record<string, { version: string }>
  }
  const elasticsearch = Object.values(nodes)[0]?.version ?? 'unknown'
  const program = execFileSync(join(ROOT, 'infra/local/redis-server'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const [, redis = 'unknown'] = /v=(\S+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []
  return {
    commit: readCommit(),
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    versions: `Node ${process.versions.node}, Redis ${redis}, Elasticsearch ${elasticsearch}`,
  }
}

/** What a result depends on: documentation, and the results in it, do not. */
const MEASURED = ['packages', 'services', 'infra', 'tests/fault', 'pnpm-lock.yaml']

/** The last commit of what was measured. */
function readCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', ...MEASURED)
  return git('log', '-1', '--format=%h', '--', ...MEASURED) + (changed === '' ? '' : '+')
}

/** Keeps a drill's result beside those of the other drills. */
export function keepResult(result: Result): void {
  keep(`${result.drill}.json`, result)
}

/** Keeps the mutants' results; those of some of them take the places of earlier ones. */
export function keepMutants(setting: Setting, results: MutantResult[], isPart: boolean): void {
  const earlier = isPart ? (readResults().mutants?.mutants ?? []) : []
  const names = results.map(({ name }) => name)
  const mutants = results.map((result) => ({ ...result, commit: setting.commit }))
  keep(MUTANTS, { ...setting, mutants: [...earlier.filter(({ name }) => !names.includes(name)), ...mutants] })
}

function keep(name: string, content: object): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, name), `${JSON.stringify(content, null, 2)}\n`)
}

/** Every drill's last result, the mutants', and those of other pipelines. */
export function readResults(): { drills: Result[]; mutants: MutantReport | null; peers: PeerResult[] } {
  const kept = readFolder(FOLDER)
  return {
    drills: kept.filter(([name]) => name !== MUTANTS).map(([, result]) => result as Result),
    mutants: (kept.find(([name]) => name === MUTANTS)?.[1] as MutantReport | undefined) ?? null,
    peers: readFolder(join(LOCAL, 'bench/peers')).map(([, result]) => result as PeerResult),
  }
}

function readFolder(folder: string): [string, unknown][] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
    return names.toSorted().map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
