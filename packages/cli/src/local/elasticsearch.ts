import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { lock } from './folder-lock.ts'
import { ensureLocal, type LocalOptions, type LocalService, type Recipe } from './local-service.ts'
import { recipe } from './recipe.ts'
import { LOCAL } from './repository.ts'

const CLUSTER = 'copydesk-local'
const ASSEMBLY_MS = 20 * 60_000

const Nodes = z.object({
  cluster_name: z.string(),
  nodes: z.record(z.string(), z.object({ settings: z.object({ path: z.object({ data: z.string() }) }) })),
})

export const elasticsearchRecipe: Recipe = {
  name: 'elasticsearch',
  async command(folder, port, log) {
    const javaHome = await recipe('java-home', [], log)
    const home = await assemble(log)
    return { file: join(javaHome, 'bin/java'), args: [...javaOptions(home), 'LocalNode', home, ...settings(folder, port)] }
  },
  async isReady(folder, port) {
    try {
      const answer = await fetch(
        `http://127.0.0.1:${port}/_nodes/_local/settings?filter_path=cluster_name,nodes.*.settings.path.data&timeout=2s`,
        { signal: AbortSignal.timeout(3000) },
      )
      const { cluster_name: cluster, nodes } = Nodes.parse(await answer.json())
      return cluster === CLUSTER && Object.values(nodes).some((node) => node.settings.path.data === realpathSync(folder))
    } catch {
      return false
    }
  },
  url: (port) => `http://127.0.0.1:${port}`,
}

/** An Elasticsearch on the data folder: the one that runs there, or a new one, assembled first where this is the first time. */
export function ensureElasticsearch(options: LocalOptions): Promise<LocalService> {
  return ensureLocal(elasticsearchRecipe, options)
}

async function assemble(log: (line: string) => void): Promise<string> {
  const folder = join(LOCAL, 'elasticsearch')
  const held = await lock(join(LOCAL, 'elasticsearch.lock'), ASSEMBLY_MS)
  try {
    return await recipe('elasticsearch/assemble', [folder], log)
  } finally {
    held.release()
  }
}

function javaOptions(home: string): string[] {
  return [
    '-Xms512m',
    '-Xmx512m',
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    '--enable-native-access=ALL-UNNAMED',
    '--add-modules=jdk.incubator.vector',
    '--add-opens=java.base/java.io=ALL-UNNAMED',
    '--add-opens=java.base/java.lang.invoke=ALL-UNNAMED',
    // Its native library is in no published jar; without it vectors are compared in Java.
    '-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false',
    `-Des.path.home=${home}`,
    '-cp',
    `${home}/lib/*:${home}/launcher`,
  ]
}

function settings(folder: string, port: number): string[] {
  return [
    `cluster.name=${CLUSTER}`,
    'discovery.type=single-node',
    'network.host=127.0.0.1',
    `http.port=${port}`,
    `path.data=${realpathSync(folder)}`,
    `path.logs=${join(folder, 'logs')}`,
    // A full developer's disk would otherwise turn the indices read-only. In production the watermarks stay.
    'cluster.routing.allocation.disk.threshold_enabled=false',
  ]
}
