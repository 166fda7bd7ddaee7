import { z } from 'zod'

/** The server's major version that the client speaks with. */
const NEEDED_MAJOR = 9

/** What `GET _nodes` says of each node. Elasticsearch names a flavour of its build, its relatives don't. */
const NodesAnswer = z.object({ nodes: z.record(z.string(), z.object({ version: z.string(), build_flavor: z.string().optional() })) })

/** What is wrong with the versions in an answer to `GET _nodes`, in a sentence for an operator; null where Copydesk can work with them. */
export function versionProblem(answer: unknown): string | null {
  const parsed = NodesAnswer.safeParse(answer)
  const nodes = parsed.success ? Object.values(parsed.data.nodes) : []
  if (nodes.length === 0) return 'the server does not say its version as Elasticsearch does: ELASTICSEARCH_URL must name an Elasticsearch'
  const versions = [...new Set(nodes.map(({ version }) => version))].toSorted(byNumber)
  const named = versions.join(' and ')
  if (nodes.some((node) => node.build_flavor === undefined))
    return `the server (version ${named}) is no Elasticsearch, but one of its relatives: ELASTICSEARCH_URL must name an Elasticsearch ${NEEDED_MAJOR}.x`
  const majors = new Set(versions.map(majorOf))
  if (majors.size === 1 && majors.has(NEEDED_MAJOR)) return null
  const needs = `and Copydesk needs ${NEEDED_MAJOR}.x`
  if (majors.size > 1) return `Elasticsearch's nodes are of versions ${named}, ${needs} on all of them: finish the update`
  const cure = majorOf(named) < NEEDED_MAJOR ? 'update it' : 'take a Copydesk that was made for it'
  return `Elasticsearch is version ${named}, ${needs}: ${cure}`
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
