import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LOCAL, ROOT } from '@copydesk/cli'
import type { Played } from '../rig/drill.ts'
import type { MutantResult } from './results.ts'

/** A patch that takes one guard out of the product. */
export interface Mutant {
  name: string
  file: string
  /** What it takes out, in words. */
  guard: string
  /** The drills that should notice, one after another until one does. */
  drills: string[]
}

export const MUTANTS_FOLDER: string = join(ROOT, 'tests/fault/mutants')
const COPY = join(LOCAL, 'bench/mutants')
/** A mutant may make a drill wait for what never comes. */
const WITHIN_MS = 10 * 60_000

/** The kept patches. Each begins with two lines: `guard: …` and `drills: …`. */
export function readMutants(): Mutant[] {
  const files = readdirSync(MUTANTS_FOLDER).filter((name) => name.endsWith('.patch'))
  return files.toSorted().map((name) => {
    const file = join(MUTANTS_FOLDER, name)
    const [, guard, drills] = /^guard: (.+)\ndrills: (.+)\n/.exec(readFileSync(file, 'utf8')) ?? []
    if (guard === undefined || drills === undefined) throw new Error(`${name} does not begin with \`guard: …\` and \`drills: …\``)
    return { name: name.slice(0, -'.patch'.length), file, guard, drills: drills.split(/[ ,]+/) }
  })
}

/** Whether a patch can still be applied to a checkout; null, or why not. */
export function patchFault({ file }: Mutant, folder = ROOT): string | null {
  try {
    execFileSync('git', ['apply', '--check', file], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    return null
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error)
  }
}

/** Applies a mutant in a copy of this checkout and plays its drills there, small. */
export async function playMutant(mutant: Mutant, options: { seed: number; elasticsearchUrl: string }): Promise<MutantResult> {
  const since = Date.now()
  copyCheckout()
  execFileSync('git', ['apply', mutant.file], { cwd: COPY, stdio: ['ignore', 'ignore', 'pipe'] })
  const { name, guard } = mutant
  const seconds = (): number => Math.round((Date.now() - since) / 1000)
  for (const drill of mutant.drills) {
    const noticed = await playIn(COPY, drill, options)
    if (noticed.length > 0) return { mutant: name, guard, drill, noticed, caught: true, seconds: seconds() }
  }
  return { mutant: name, guard, drill: mutant.drills.join(', '), noticed: [], caught: false, seconds: seconds() }
}

/** A copy of the files as they stand, with links to the installed packages: what is linked by hand costs no space and no time. */
function copyCheckout(): void {
  rmSync(COPY, { recursive: true, force: true })
  mkdirSync(COPY, { recursive: true })
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  for (const file of files.split('\0').filter((name) => name && existsSync(join(ROOT, name)))) cpSync(join(ROOT, file), join(COPY, file))
  // Real files under the copy's own root: a parser may read nothing outside of it.
  execFileSync('cp', ['-al', join(ROOT, 'node_modules'), join(COPY, 'node_modules')])
  for (const folder of ['packages', 'services', '.'].flatMap((parent) => foldersOf(parent)))
    if (existsSync(join(ROOT, folder, 'node_modules'))) execFileSync('cp', ['-a', join(ROOT, folder, 'node_modules'), join(COPY, folder)])
  execFileSync('git', ['init', '-q'], { cwd: COPY })
}

function foldersOf(parent: string): string[] {
  return parent === '.' ? ['tests'] : readdirSync(join(ROOT, parent)).map((name) => join(parent, name))
}

/** Plays one drill small in a checkout, and answers what was noticed there. */
async function playIn(folder: string, drill: string, options: { seed: number; elasticsearchUrl: string }): Promise<string[]> {
  const args = ['tests/fault/bench.ts', drill, '--small', '--json', '--seed', String(options.seed)]
  const env = { ...process.env, ELASTICSEARCH_URL: options.elasticsearchUrl }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'], timeout: WITHIN_MS })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (said === '') return [`the drill ended with ${code} and no verdict`]
  return (JSON.parse(said) as Played[]).flatMap(noticedBy)
}

function noticedBy({ lost, doubled, stuck, wrong, failures }: Played): string[] {
  const counts = Object.entries({ lost, doubled, stuck, wrong }).filter(([, count]) => count > 0)
  return [...(counts.length > 0 ? [counts.map(([name, count]) => `${name} ${count}`).join(', ')] : []), ...failures]
}
