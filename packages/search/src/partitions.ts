import type { Client } from '@elastic/elasticsearch'
import { type Fault, PARTITION_LOST } from './faults.ts'
import type { SearchNames } from './names.ts'

/** The first partition of an alias or pattern that is not all there, as a fault that names it; null where none is lost. Throws what the client throws. */
export async function lostPartition(client: Client, index: string, timeoutMs: number): Promise<Fault | null> {
  const { indices = {} } = await client.cluster.health(
    { index, level: 'indices', timeout: `${timeoutMs}ms`, filter_path: 'indices.*.status' },
    { requestTimeout: timeoutMs },
  )
  const lost = Object.keys(indices).find((name) => indices[name]!.status === 'red')
  return lost === undefined ? null : { status: 503, type: PARTITION_LOST, index: lost }
}

/** Whether there is any partition, open or closed, with whatever aliases. Throws what the client throws. */
export async function hasPartitions(client: Client, names: SearchNames): Promise<boolean> {
  return client.indices.exists({ index: names.partitions, expand_wildcards: 'all', allow_no_indices: false })
}
