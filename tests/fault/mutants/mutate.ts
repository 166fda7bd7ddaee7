import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { LOCAL } from '@copydesk/cli'
import { type Mutant, MUTANTS } from './index.ts'
import type { PlayResult } from './play.ts'
import { TREE, type Tree } from './tree.ts'

/** What became of a mutant. */
export interface MutantResult {
  name: string
  guard: string
  /** The drill that noticed it; else the last that was played, or null where none could be. */
  drill: string | null
  seed: number
  caught: boolean
  lost: number
  doubled: number
  stuck: number
  wrong: number
  /** What the oracle said, or why nothing could be played. */
  other: string[]
  /** Why no drill could be played: then it is neither caught nor missed. */
  skipped?: string
  seconds: number
}

/** Plays one drill small in a tree. Rejects where no verdict came of it. */
export type Play = (folder: string, drill: string, seed: number) => Promise<PlayResult>

export interface MutateOptions {
  play: Play
  /** Only these, by name. */
  only?: readonly string[]
  mutants?: readonly Mutant[]
  /** The first of the seeds. */
  seed?: number
  /** Where the copy of the tree is made, and how. */
  folder?: string
  tree?: Tree
  onProgress?: (text: string) => void
}

const FOLDER = join(LOCAL, 'bench/mutants/tree')
/** A mutant that none of its drills notices is played by them with so many seeds. */
const SEEDS = 3
/** A drill that doesn't end is ended, in milliseconds; the longest small ones take some minutes. */
const LONGEST_MS = 15 * 60_000

/**
 * Takes out one guard after another, in a copy of what is committed, and plays the drills that should notice. What a drill notices
 * counts if it is good with the same seed and every guard in place. Throws where the copy itself is not sound.
 */
export async function runMutants(options: MutateOptions): Promise<MutantResult[]> {
  const { play, only, mutants = MUTANTS, seed = 1, folder = FOLDER, tree = TREE, onProgress = () => undefined } = options
  const unknown = only?.filter((name) => !mutants.some((mutant) => mutant.name === name)) ?? []
  if (unknown.length > 0)
    throw new Error(`there is no mutant ${unknown.join(', ')}: there are ${mutants.map(({ name }) => name).join(', ')}`)
  onProgress('copying what is committed')
  await tree.make(folder)
  await tree.check(folder)
  const at: Trial = { folder, seed, play, tree, control: createControl(folder, play, onProgress) }
  const results: MutantResult[] = []
  for (const mutant of mutants.filter(({ name }) => !only || only.includes(name))) {
    const since = Date.now()
    const { name, guard } = mutant
    const result = { name, guard, ...(await tryMutant(mutant, at)), seconds: Math.round((Date.now() - since) / 1000) }
    onProgress(`${name}: ${result.skipped ? 'skipped' : result.caught ? `caught by ${result.drill}` : 'NOT CAUGHT'}, ${result.seconds} s`)
    results.push(result)
  }
  return results
}

/** Why a drill that noticed something proves nothing; null where it is good with that seed and every guard in place. */
type Control = (drill: string, seed: number) => Promise<string | null>

function createControl(folder: string, play: Play, onProgress: (text: string) => void): Control {
  const known = new Map<string, Promise<string | null>>()
  return async (drill, seed) => {
    const key = `${drill} ${seed}`
    const asked = known.get(key) ?? judgeDrill(drill, seed)
    known.set(key, asked)
    return await asked
  }

  async function judgeDrill(drill: string, seed: number): Promise<string | null> {
    const why = (await play(folder, drill, seed)).failures[0] ?? null
    onProgress(`${drill}, seed ${seed}, with every guard in place: ${why ?? 'good'}`)
    return why === null ? null : `${drill}, seed ${seed}, fails with every guard in place: ${why}`
  }
}

interface Trial {
  folder: string
  seed: number
  play: Play
  tree: Tree
  control: Control
}

async function tryMutant(mutant: Mutant, at: Trial): Promise<Outcome> {
  const outcome: Outcome = { drill: null, seed: at.seed, caught: false, ...NOTHING, other: [] }
  try {
    return await playUntilNoticed(mutant, outcome, at)
  } catch (error) {
    return { ...outcome, other: [...outcome.other, error instanceof Error ? error.message.trim() : String(error)] }
  }
}
type Outcome = Omit<MutantResult, 'name' | 'guard' | 'seconds'>

async function playUntilNoticed({ patch, drills }: Mutant, outcome: Outcome, at: Trial): Promise<Outcome> {
  const skipped = new Map<string, string>()
  for (let seed = at.seed; seed < at.seed + SEEDS; seed += 1)
    for (const drill of drills.filter((each) => !skipped.has(each))) {
      const played = await withPatch(at, patch, async () => await at.play(at.folder, drill, seed))
      const { lost, doubled, stuck, wrong, failures } = played
      if (played.skipped !== undefined) {
        skipped.set(drill, `${drill}: ${played.skipped}`)
        continue
      }
      Object.assign(outcome, { drill, seed, lost, doubled, stuck, wrong })
      if (failures.length === 0) continue
      const unsound = await at.control(drill, seed)
      if (unsound === null) return { ...outcome, caught: true, other: failures }
      outcome.other.push(unsound)
    }
  return skipped.size < drills.length ? outcome : { ...outcome, skipped: [...skipped.values()].join('; ') }
}

/** A patch that doesn't fit, or doesn't compile, proves nothing. */
async function withPatch<Result>({ folder, tree }: Trial, patch: string, work: () => Promise<Result>): Promise<Result> {
  await tree.apply(folder, patch)
  try {
    await tree.check(folder)
    return await work()
  } finally {
    await tree.apply(folder, patch, '--reverse')
  }
}

const NOTHING = { lost: 0, doubled: 0, stuck: 0, wrong: 0 }

/** A play in a process of its own, so that nothing of one tree is met in another. `logs`: where those of a drill that noticed something are kept. */
export function playInProcess(elasticsearchUrl: string, logs?: string): Play {
  return async (folder, drill, seed) => {
    const args = [join(folder, 'tests/fault/mutants/play.ts'), drill, String(seed), elasticsearchUrl, ...(logs ? [logs] : [])]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    let [out, said] = ['', '']
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-4000)))
    let overran = false
    const end = setTimeout(() => {
      overran = child.kill('SIGTERM')
    }, LONGEST_MS)
    const kill = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS + 60_000)
    await once(child, 'close')
    clearTimeout(end)
    clearTimeout(kill)
    const line = out.trimEnd().split('\n').at(-1) ?? ''
    if (line.startsWith('{')) return JSON.parse(line) as PlayResult
    if (!overran) throw new Error(`${drill} came to no verdict: ${said.trim().slice(-1500)}`)
    return { ...NOTHING, failures: [`${drill} did not end within ${LONGEST_MS / 60_000} minutes`], seconds: LONGEST_MS / 1000 }
  }
}
