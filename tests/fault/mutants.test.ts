import { expect, test } from 'vitest'
import { DRILLS } from './drills/index.ts'
import { patchFault, readMutants } from './report/mutants.ts'

const mutants = readMutants()

test('at least twelve guards are each taken out once', () => {
  expect(new Set(mutants.map(({ guard }) => guard)).size).toBeGreaterThanOrEqual(12)
})

test.each(mutants)('$name can still be applied, and names drills that there are', (mutant) => {
  expect(patchFault(mutant)).toBeNull()
  const names = DRILLS.map(({ name }) => name)
  expect(mutant.drills.filter((drill) => !names.includes(drill))).toEqual([])
})
