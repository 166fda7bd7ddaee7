import type { Drill } from '../rig/drill.ts'
import { workersKilled } from './workers.ts'

/** Every drill, in the order of the table. */
export const DRILLS: readonly Drill[] = [workersKilled]
