import type { Client } from '@elastic/elasticsearch'
import { type Fault, requestFault } from './faults.ts'
import { createNames, type SearchNames } from './names.ts'
import { lostPartition } from './partitions.ts'

const PROBE_MS = 5_000

/** Asks once whether Elasticsearch answers and has all partitions: null, or what is wrong. For a circuit. A block on writing is not seen by it, and where no partition is yet, none is lost. */
export async function probeSearch(client: Client, names: SearchNames = createNames()): Promise<Fault | null> {
  try {
    // The partitions alone: what else lies in the cluster is not ours to wait for.
    return await lostPartition(client, names.partitions, PROBE_MS)
  } catch (error) {
    return requestFault(error)
  }
}
