import type { Client } from '@elastic/elasticsearch'
import { ARTICLE_PROPERTIES, INDEX_PROPERTIES } from './mapping.ts'
import type { SearchNames } from './names.ts'

/** Counted up with every change below; a server that holds a higher one is left alone. */
const TEMPLATES_VERSION = 1

const SETTINGS = {
  number_of_shards: 1,
  auto_expand_replicas: '0-1',
  codec: 'best_compression',
  // Said, because the default refreshes only what was searched in the last 30 s.
  refresh_interval: '5s',
  // A bad date must not lose an article.
  mapping: { ignore_malformed: true, total_fields: { limit: 200 } },
  query: { default_field: ['title', 'description', 'text'] },
}

/** `dynamic: false`: a field that the mapping doesn't know is kept and not indexed, so that a worker newer than the mapping loses nothing. */
const MAPPINGS = { dynamic: false as const, properties: { ...ARTICLE_PROPERTIES, ...INDEX_PROPERTIES } }

/** Puts the templates, unless the server holds newer ones; may be done any number of times. New fields come to the partitions that are there already, too. */
export async function putTemplates(client: Client, names: SearchNames): Promise<void> {
  if ((await storedVersion(client, names)) > TEMPLATES_VERSION) return
  const version = TEMPLATES_VERSION
  await client.cluster.putComponentTemplate({ name: names.settingsComponent, version, template: { settings: { index: SETTINGS } } })
  await client.cluster.putComponentTemplate({ name: names.mappingsComponent, version, template: { mappings: MAPPINGS } })
  await client.indices.putIndexTemplate({
    name: names.template,
    index_patterns: [names.partitions],
    priority: 500,
    version,
    composed_of: [names.settingsComponent, names.mappingsComponent],
  })
  await client.indices.putMapping({ index: names.partitions, allow_no_indices: true, ...MAPPINGS })
}

async function storedVersion(client: Client, names: SearchNames): Promise<number> {
  if (!(await client.indices.existsIndexTemplate({ name: names.template }))) return 0
  const { index_templates: templates } = await client.indices.getIndexTemplate({ name: names.template })
  return templates[0]?.index_template.version ?? 0
}
