import { join } from 'node:path'

/** A guard of ours, and a patch that takes it out. */
export interface Mutant {
  name: string
  /** What the guard sees to, in words. */
  guard: string
  /** The path of the patch. */
  patch: string
  /** The drills that should notice, the surest first. */
  drills: readonly string[]
}

function mutant(name: string, guard: string, ...drills: string[]): Mutant {
  return { name, guard, patch: join(import.meta.dirname, `${name}.patch`), drills }
}

/** Every mutant, in the order of the table: from intake to the index, then what puts lost stores right. */
export const MUTANTS: readonly Mutant[] = []
