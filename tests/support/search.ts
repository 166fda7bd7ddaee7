import { createNames } from '@copydesk/search'
import type { Client } from '@elastic/elasticsearch'

/** Takes away everything that was set up under an alias of a test's own. */
export async function dropArticles(client: Client, alias: string): Promise<void> {
  const names = createNames(alias)
  const indices = Object.keys(await client.indices.get({ index: names.partitions }, { ignore: [404] }))
  if (indices.length > 0) await client.indices.delete({ index: indices })
  await client.indices.deleteIndexTemplate({ name: names.template }, { ignore: [404] })
  await client.cluster.deleteComponentTemplate({ name: [names.settingsComponent, names.mappingsComponent] }, { ignore: [404] })
}
