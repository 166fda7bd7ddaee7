import { MUTANTS } from '../mutants/index.ts'
import { SPEEDS } from '../rig/system.ts'
import type { MutantReport, PeerResult, Result } from './results.ts'

/** The page docs/FAULTS.md: what each drill came to, what else people run, and what is noticed when a guard is taken out. */
export function faultsPage(
  results: { drills: Result[]; mutants: MutantReport | null; peers: PeerResult[] },
  order: readonly string[],
): string {
  const drills = results.drills.toSorted((a, b) => order.indexOf(a.drill) - order.indexOf(b.drill))
  const usual = mostUsual(drills)
  return `${[
    HEAD,
    usual ? setting(usual) : '',
    drillTable(drills, usual?.commit ?? ''),
    notes(drills),
    peerTable(results.peers),
    mutantTable(results.mutants),
  ]
    .filter(Boolean)
    .join('\n\n')}\n`
}

const HEAD = `# Faults

What breaks, and what that costs: nothing lost, nothing doubled, nothing stuck. \`./copydesk bench faults\` runs every drill below on real Redis and Elasticsearch and writes this page; \`./copydesk test\` runs each in a small form. What each drill does is its file in \`tests/fault/drills\`; what is counted after it is \`tests/fault/rig/oracle.ts\`.

- **lost**: captures that were answered with a captureId and have no outcome, and pages without a document.
- **doubled**: documents beyond the first of an article. **stuck**: captures in flight 120 s after the last fault.
- **late**: repeats that fencing made harmless. **fetched**: requests to the origin, and how many were allowed: 1.2 for each capture that fetches, and what was under way at each fault.
- After each drill also: accepted = sum of outcomes; every document says what its page says now; each fault was named in a log, a metric or \`status\` within 10 s; no secret in a log, no unhandled rejection, no answer 500.
- A drill whose faults met no work fails: **met** says how many did.`

/** The last of those of the commit that most of them are of. */
function mostUsual<T extends { commit: string }>(results: readonly T[]): T | undefined {
  const [usual] = [...Map.groupBy(results, ({ commit }) => commit).values()].toSorted((a, b) => b.length - a.length)
  return usual?.at(-1)
}

function setting({ machine, versions, commit, date }: Result): string {
  const speeds = Object.entries(SPEEDS).map(([name, value]) => `\`${name}=${value}\``)
  return `Measured on ${machine}; ${versions}; commit ${commit}, ${date.slice(0, 10)}. Half of the pages change once and are ingested again. Two processes of each worker, one scheduler, one API. For the drills locks and checks are shorter than in production: ${speeds.join(', ')}.`
}

function drillTable(drills: Result[], commit: string): string {
  const rows = drills.map((each) => {
    if (each.skipped !== undefined) return [each.title, `skipped: ${each.skipped}`, ...Array.from({ length: 10 }, () => '')]
    const { n, lost, doubled, stuck, met, faults, late, originRequests, allowedRequests, undecided, cut, seconds, seed } = each
    const mark = each.failures.length === 0 ? '' : ' **failed**'
    const other = each.commit === commit ? '' : ` (${each.commit})`
    return [
      `${each.title}${mark}${other}`,
      each.times,
      ...[n, lost, doubled, stuck].map(number),
      `${number(met)} of ${number(faults)}`,
      number(late),
      `${number(originRequests)} of ${number(allowedRequests)}`,
      `${undecided} / ${cut}`,
      number(Math.round(seconds)),
      String(seed),
    ]
  })
  const head = ['drill', 'faults', 'pages', 'lost', 'doubled', 'stuck', 'met', 'late', 'fetched', 'undecided / cut', 's', 'seed']
  return `## Drills\n\n${table(head, rows)}`
}

/** What a drill measured beside the usual. */
function notes(drills: Result[]): string {
  const lines = drills.flatMap(({ title, extra, cpuSeconds, peakMemoryMiB, skipped }) => {
    if (skipped !== undefined) return []
    const facts = Object.entries(extra).filter(([name]) => !/^[a-z.-]+:(?:before|after)$/.test(name))
    const own = [
      `${cpuSeconds} s of CPU and ${peakMemoryMiB} MiB at most in the services`,
      ...facts.map(([name, value]) => `${name}: ${value}`),
    ]
    return [`- ${title}: ${own.join('; ')}.`]
  })
  return [...(lines.length > 0 ? [`Beside that:\n\n${lines.join('\n')}`] : []), ...failpointTable(drills)].join('\n\n')
}

/** How often each failpoint killed a process. */
function failpointTable(drills: Result[]): string[] {
  const met = drills.flatMap(({ extra }) => Object.entries(extra).filter(([name]) => name.endsWith(':before')))
  const after = new Map(drills.flatMap(({ extra }) => Object.entries(extra)))
  const rows = met.map(([name, before]) => {
    const point = name.slice(0, -':before'.length)
    return [`\`${point}\``, String(before), String(after.get(`${point}:after`) ?? '')]
  })
  return rows.length === 0 ? [] : [`### Kills at each failpoint\n\n${table(['failpoint', 'before', 'after'], rows)}`]
}

function peerTable(peers: PeerResult[]): string {
  if (peers.length === 0) return ''
  const rows = peers
    .toSorted((a, b) => a.kills - b.kills || a.name.localeCompare(b.name))
    .map((each) =>
      each.skipped === undefined
        ? [
            each.title,
            ...[each.n, each.kills].map(number),
            ...COUNTED.map((name) => number(Math.round(each[name] ?? 0))),
            each.note ?? '',
            String(each.seed),
            each.commit,
          ]
        : [each.title, `skipped: ${each.skipped}`, ...Array.from({ length: 11 }, () => '')],
    )
  const head = [
    'pipeline',
    'pages',
    'kills',
    'lost',
    'doubled',
    'stuck',
    's',
    'CPU s',
    'memory, MiB',
    'Redis, MiB',
    'what it is',
    'seed',
    'commit',
  ]
  return `## What people run instead\n\nThe first drill, for Copydesk with the settings of production and for two others, each written as one writes it (\`tests/bench\`): \`./copydesk bench peers\`, and once more with \`--kills 50\`. Lost: without a document, or with the old content. CPU and memory: of its own processes, pages that they share counted once (PSS), Redis and Elasticsearch apart.\n\n${table(head, rows)}`
}

/** What is shown of a peer, in the order of its columns. */
const COUNTED = ['lost', 'doubled', 'stuck', 'seconds', 'cpuSeconds', 'peakProportionalMiB', 'redisPeakMiB'] as const

function mutantTable(report: MutantReport | null): string {
  if (report === null) return ''
  const usual = mostUsual(report.mutants)?.commit ?? ''
  const order = MUTANTS.map(({ name }) => name)
  const mutants = report.mutants.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const rows = mutants.map(({ name, guard, drill, caught, skipped, lost, doubled, stuck, wrong, other, seed, commit }) => [
    guard,
    `\`${name}\`${commit === usual ? '' : ` (${commit})`}`,
    drill ?? '',
    ...(skipped === undefined ? [lost, doubled, stuck, wrong].map(number) : ['', '', '', '']),
    skipped === undefined ? (caught ? other.slice(0, 1).map(brief).join('') : '**nobody noticed**') : `skipped: ${skipped}`,
    String(seed),
  ])
  const head = ['guard taken out', 'patch', 'drill', 'lost', 'doubled', 'stuck', 'wrong', 'in the words of the oracle', 'seed']
  return `## Guards taken out\n\nEach line is the product without one guard (\`tests/fault/mutants\`), in a copy of what is committed (${usual}), played by the small form of a drill that should notice. It counts only where that drill is good, with the same seed, with every guard in place. \`./copydesk bench faults --mutants\` runs them again.\n\n${table(head, rows)}`
}

function brief(text: string): string {
  const line = text
    .replaceAll(/\s+/g, ' ')
    // A stack names this machine's folders.
    .replace(/ at [^(]*\(?file:.*$/, '')
    .replaceAll('|', '/')
    .replaceAll(/fault-[0-9a-f]+|127\.0\.0\.1:\d+/g, '…')
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-GB')
}
