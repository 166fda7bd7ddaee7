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
 * Takes out one guard after another, in a copy of what is committed, and plays the drills that should notice. A drill whose verdict is not
 * good without any patch catches nothing: each is played so first. Throws where the copy itself is not sound.
 */
export async function runMutants(options: MutateOptions): Promise<MutantResult[]> {
  const { play, only, mutants = MUTANTS, seed = 1, folder = FOLDER, tree = TREE, onProgress = () => undefined } = options
  const unknown = only?.filter((name) => !mutants.some((mutant) => mutant.name === name)) ?? []
  if (unknown.length > 0)
    throw new Error(`there is no mutant ${unknown.join(', ')}: there are ${mutants.map(({ name }) => name).join(', ')}`)
  onProgress('copying what is committed')
  await tree.make(folder)
  await tree.check(folder)
  const at: Trial = { folder, seed, play, tree, control: createControl(folder, seed, play, onProgress) }
  const results: MutantResult[] = []
  for (const mutant of mutants.filter(({ name }) => !only || only.includes(name))) {
    const since = Date.now()
    const result = { ...(await tryMutant(mutant, at)), seconds: Math.round((Date.now() - since) / 1000) }
    onProgress(
      `${mutant.name}: ${result.skipped ? 'skipped' : result.caught ? `caught by ${result.drill}` : 'NOT CAUGHT'}, ${result.seconds} s`,
    )
    results.push(result)
  }
  return results
}

type Control = (drill: string) => Promise<string | null>

/** Plays a drill once without any patch; answers why it can catch nothing, or null. */
function createControl(folder: string, seed: number, play: Play, onProgress: (text: string) => void): Control {
  const known = new Map<string, Promise<string | null>>()
  return async (drill) => {
    const asked = known.get(drill) ?? judgeDrill(drill)
    known.set(drill, asked)
    return await asked
  }

  async function judgeDrill(drill: string): Promise<string | null> {
    const found = await play(folder, drill, seed).catch((error: unknown) => error as Error)
    const why = found instanceof Error ? found.message : (found.skipped ?? found.failures[0] ?? null)
    onProgress(`${drill}, with every guard in place: ${why ?? 'good'}`)
    if (why === null) return null
    return !(found instanceof Error) && found.skipped ? `${SKIPPED}${why}` : `${drill} fails with every guard in place: ${why}`
  }
}
const SKIPPED = 'skipped: '

interface Trial {
  folder: string
  seed: number
  play: Play
  tree: Tree
  control: Control
}

async function tryMutant(mutant: Mutant, at: Trial): Promise<MutantResult> {
  const { name, guard, patch, drills } = mutant
  const result: MutantResult = { name, guard, drill: null, seed: at.seed, caught: false, ...NOTHING, other: [], seconds: 0 }
  const sound: string[] = []
  for (const drill of drills) {
    const why = await at.control(drill)
    if (why === null) sound.push(drill)
    else result.other.push(why)
  }
  if (sound.length === 0) {
    if (result.other.every((why) => why.startsWith(SKIPPED))) result.skipped = result.other.join('; ')
    return result
  }
  try {
    await at.tree.apply(at.folder, patch)
  } catch (error) {
    return { ...result, other: [...result.other, `the patch does not fit any more: ${messageOf(error)}`] }
  }
  try {
    await at.tree.check(at.folder)
    return await playUntilNoticed(result, sound, at)
  } catch (error) {
    return { ...result, other: [...result.other, `the patch proves nothing: ${messageOf(error)}`] }
  } finally {
    await at.tree.apply(at.folder, patch, '--reverse')
  }
}

async function playUntilNoticed(result: MutantResult, drills: readonly string[], at: Trial): Promise<MutantResult> {
  for (let seed = at.seed; seed < at.seed + SEEDS; seed += 1)
    for (const drill of drills) {
      const { lost, doubled, stuck, wrong, failures } = await at.play(at.folder, drill, seed)
      Object.assign(result, { drill, seed, lost, doubled, stuck, wrong })
      if (failures.length > 0) return { ...result, caught: true, other: failures }
    }
  return result
}

const NOTHING = { lost: 0, doubled: 0, stuck: 0, wrong: 0 }

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error)
}

/** A play in a process of its own, so that nothing of one tree is met in another. `logs`: where those of a drill that noticed something are kept. */
export function playInProcess(elasticsearchUrl: string, logs?: string): Play {
  return async (folder, drill, seed) => {
    const args = [join(folder, 'tests/fault/mutants/play.ts'), drill, String(seed), elasticsearchUrl, ...(logs ? [logs] : [])]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, said] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-4000)))
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
