import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '@copydesk/cli'
import { beforeAll, describe, expect, test } from 'vitest'
import { DRILLS } from '../drills/index.ts'
import { type Mutant, MUTANTS } from './index.ts'
import { runMutants } from './mutate.ts'
import type { PlayResult } from './play.ts'
import { applyPatch, makeTree, resolveIn, type Tree } from './tree.ts'

test('every patch stands in the list, once and under its own name', async () => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.patch'))
  expect(MUTANTS.map(({ patch }) => basename(patch)).toSorted()).toEqual(files.toSorted())
  expect(MUTANTS.map(({ name }) => `${name}.patch`)).toEqual(MUTANTS.map(({ patch }) => basename(patch)))
})

test('every mutant has drills, and each is one that there is', () => {
  const names = DRILLS.map(({ name }) => name)
  expect(MUTANTS.filter(({ drills }) => drills.length === 0)).toEqual([])
  expect(names).toEqual(expect.arrayContaining(MUTANTS.flatMap(({ drills }) => [...drills])))
})

test.each(MUTANTS)('the patch $name fits the code', async ({ patch }) => {
  await expect(applyPatch(ROOT, patch, '--check')).resolves.toBeUndefined()
})

describe('the copy', () => {
  let folder: string
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'copydesk-mutants-')))
    await makeTree(folder)
    return async () => await rm(folder, { recursive: true, force: true })
  })

  test('runs its own packages', async () => {
    expect(await resolveIn(folder, '@copydesk/queue')).toBe(pathToFileURL(join(folder, 'packages/queue/src/index.ts')).href)
  })

  test('takes a patch and gives it back', async () => {
    const { patch } = MUTANTS[0]!
    await applyPatch(folder, patch)
    await expect(applyPatch(folder, patch, '--check')).rejects.toThrow('the patch does not fit')
    await applyPatch(folder, patch, '--reverse')
    await expect(applyPatch(folder, patch, '--check')).resolves.toBeUndefined()
  })
})

describe('a run', () => {
  const GOOD: PlayResult = { lost: 0, doubled: 0, stuck: 0, wrong: 0, failures: [], seconds: 1 }
  const MUTANT: Mutant = { name: 'one', guard: 'a guard', patch: 'one.patch', drills: ['first', 'second'] }

  /** Runs one mutant on a tree of thin air; `verdict` says how a play ends. */
  async function run(verdict: (drill: string, seed: number, patched: boolean) => PlayResult | Error, tree: Partial<Tree> = {}) {
    const applied: string[] = []
    const whole: Tree = {
      make: async () => undefined,
      check: async () => undefined,
      apply: async (_folder, patch, ...options) => void (options.includes('--reverse') ? applied.pop() : applied.push(patch)),
      ...tree,
    }
    const play = async (_folder: string, drill: string, seed: number): Promise<PlayResult> => {
      const result = verdict(drill, seed, applied.length > 0)
      if (result instanceof Error) throw result
      return result
    }
    const [result] = await runMutants({ mutants: [MUTANT], play, folder: 'nowhere', tree: whole })
    expect(applied).toEqual([])
    return result!
  }

  test('plays drill after drill, seed after seed, until one notices', async () => {
    const result = await run((drill, seed, patched) =>
      patched && drill === 'second' && seed === 2 ? { ...GOOD, lost: 3, failures: ['lost: a page'] } : GOOD,
    )
    expect(result).toMatchObject({ caught: true, drill: 'second', seed: 2, lost: 3, other: ['lost: a page'] })
  })

  test('says that nobody noticed', async () => {
    expect(await run(() => GOOD)).toMatchObject({ caught: false, seed: 3, other: [] })
  })

  test('believes no drill that fails with every guard in place', async () => {
    const result = await run((drill, seed) => (drill === 'first' && seed === 1 ? { ...GOOD, failures: ['always'] } : GOOD))
    expect(result).toMatchObject({ caught: false, drill: 'second', other: ['first, seed 1, fails with every guard in place: always'] })
  })

  test('counts as no catch that nothing could be played', async () => {
    expect(await run((_drill, _seed, patched) => (patched ? new Error('no verdict') : GOOD))).toMatchObject({ caught: false })
    expect(await run(() => ({ ...GOOD, skipped: 'no mounting here' }))).toMatchObject({ caught: false, skipped: expect.anything() })
  })

  test('counts as no catch that a patch does not fit or does not compile', async () => {
    const checks = [async () => undefined, async () => await Promise.reject(new Error('its types are wrong'))]
    const wrong = await run(() => GOOD, { check: async () => await checks.shift()!() })
    expect(wrong).toMatchObject({ caught: false, drill: null, other: ['its types are wrong'] })
    const unfit = await run(() => GOOD, { apply: async () => await Promise.reject(new Error('it does not fit')) })
    expect(unfit).toMatchObject({ caught: false, drill: null, other: ['it does not fit'] })
  })

  test('takes no mutant that there is not', async () => {
    const play = async (): Promise<PlayResult> => await Promise.resolve(GOOD)
    await expect(runMutants({ mutants: [MUTANT], only: ['two'], play })).rejects.toThrow('there is no mutant two: there are one')
  })
})
