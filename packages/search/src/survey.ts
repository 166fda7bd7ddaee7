import type { Client, estypes } from '@elastic/elasticsearch'
import { ARTICLE_PROPERTIES, INDEX_PROPERTIES } from './mapping.ts'
import { partitionMonth, type SearchNames } from './names.ts'

/** What is found under the names that Copydesk uses. */
export interface Survey {
  /** What is not Copydesk's, in sentences that an operator can act on; while there are any, nothing may be written. */
  problems: string[]
  /** Partitions that lack an alias. */
  bare: { index: string; month: string }[]
}

/** By index. */
type Indices = Record<string, Pick<estypes.IndicesIndexState, 'aliases' | 'mappings'>>

/** Looks at whatever bears one of Copydesk's names or aliases, closed indices too. Throws what the client throws. */
export async function survey(client: Client, names: SearchNames): Promise<Survey> {
  const indices = await client.indices.get({
    index: [names.live, names.all, names.write('*'), names.partitions],
    features: ['aliases', 'mappings'],
    ignore_unavailable: true,
    allow_no_indices: true,
    expand_wildcards: 'all',
  })
  return judgeIndices(indices, names)
}

/** Judges an answer to `GET` of indices. */
export function judgeIndices(indices: Indices, names: SearchNames): Survey {
  const problems: string[] = []
  const own: [string, string[]][] = []
  for (const [index, { aliases = {}, mappings = {} }] of Object.entries(indices)) {
    const problem = foreign(index, Object.keys(aliases), mappings, names)
    if (problem !== null) problems.push(problem)
    else if (isPartition(index, names)) own.push([index, Object.keys(aliases)])
  }
  // A partition whose month is written to another one is being built, or was replaced: its aliases are off on purpose.
  const writtenTo = new Map(own.flatMap(([index, aliases]) => aliases.map((alias) => [alias, index] as const)))
  const bare = own.flatMap(([index, aliases]) => {
    const month = partitionMonth(index)!
    const isReplaced = (writtenTo.get(names.write(month)) ?? index) !== index
    const isWhole = [names.write(month), names.live, names.all].every((alias) => aliases.includes(alias))
    return isReplaced || isWhole || index !== names.partition(month) ? [] : [{ index, month }]
  })
  return { problems, bare }
}

function foreign(index: string, aliases: string[], mappings: estypes.MappingTypeMapping, names: SearchNames): string | null {
  if (index === names.live || index === names.all || index.startsWith(names.write('')))
    return `there is an index named ${index} where Copydesk's alias of that name should be: rename or delete it, or choose another ARTICLES_ALIAS`
  if (!isPartition(index, names)) {
    const ours = aliases.filter((alias) => alias === names.live || alias === names.all || alias.startsWith(names.write('')))
    return `the alias ${ours.join(' and ')} points to ${index}, which is no partition of Copydesk's: take the alias off, or choose another ARTICLES_ALIAS`
  }
  // Of a later layout, which a later Copydesk made.
  if (index !== names.partition(partitionMonth(index)!)) return null
  const field = differs(mappings.properties ?? {}, { ...ARTICLE_PROPERTIES, ...INDEX_PROPERTIES })
  if (field === null) return null
  return `the index ${index} has a name of Copydesk's and another mapping (at ${field}): rename or delete it, or choose another ARTICLES_ALIAS`
}

/** `articles_v1-2026.11`, of whatever version. */
function isPartition(index: string, names: SearchNames): boolean {
  return index.startsWith(`${names.live}_v`) && /^\d+-\d{4}\.\d{2}$/.test(index.slice(names.live.length + 2))
}

type Properties = Record<string, estypes.MappingProperty>

/** Without these a partition is none; other fields are added to older partitions when they come up. */
const NEEDED = ['articleId', 'captureId', 'status']

/** The first field that is mapped otherwise than here; null where there is none. */
function differs(found: Properties, wanted: Properties): string | null {
  for (const [field, property] of Object.entries(wanted)) {
    const other = found[field]
    if (other === undefined) {
      if (NEEDED.includes(field)) return field
      continue
    }
    if (typeOf(other) !== typeOf(property)) return field
    const inner = differs(propertiesOf(other), propertiesOf(property))
    if (inner !== null) return `${field}.${inner}`
  }
  return null
}

function typeOf(property: estypes.MappingProperty): string {
  return property.type ?? 'object'
}

function propertiesOf(property: estypes.MappingProperty): Properties {
  return 'properties' in property ? (property.properties ?? {}) : {}
}
