import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FAULT_CODES, OUTCOMES, REFUSAL_CODES, STAGES } from '@copydesk/contracts'
import { LIMITS } from '@copydesk/http'
import { FAILPOINTS } from '@copydesk/pipeline'
import { DEFAULT_RECONCILE } from '@copydesk/queue'
import { expect, test } from 'vitest'
import { ROOT } from './local/repository.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const find = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).filter((path) => !path.includes('node_modules'))

/** The part of a page under a heading, up to the next one of its level or above. */
function section(text: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const [, after] = text.split(`\n${heading}\n`)
  if (after === undefined) throw new Error(`there is no heading "${heading}"`)
  return after.split(new RegExp(`\\n#{1,${level}} `))[0] ?? ''
}

/** The rows of the tables in a text: what stands in backticks in the first cell (several, where it names several), and the other cells. */
function rows(text: string): { names: string[]; cells: string[] }[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [first = '', ...cells] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      return { names: [...first.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''), cells }
    })
}

/** The variables of the services' schemas, and their defaults where they are written out. A schema's keys are the only names in capitals before a colon. */
function serviceVariables(): Map<string, string | null> {
  const found = new Map<string, string | null>()
  for (const path of [
    'packages/runtime/src/load-env.ts',
    'packages/runtime/src/page-service.ts',
    ...find('services/*/src/{main,env,setup}.ts'),
  ]) {
    const keys = [...read(path).matchAll(/\b([A-Z]+(?:_[A-Z]+)+): (?!true\b)([^]*?)(?=\b[A-Z]+(?:_[A-Z]+)+:|\n?\}\))/g)]
    for (const [, name = '', schema = ''] of keys) {
      if (!/\b(?:z\b|envTypes\.|port\b|count\b|milliseconds\b|readBy\b)/.test(schema)) continue
      found.set(name, /\.default\((?:'([^']*)'|([\d_]+))\)/.exec(schema)?.slice(1).find(Boolean)?.replaceAll('_', '') ?? null)
    }
  }
  return found.set('RECONCILE_UNTOUCHED_MS', String(DEFAULT_RECONCILE.untouchedMs))
}

/** What the command line reads by name; PATH is every system's. */
function cliVariables(): string[] {
  const sources = find('packages/cli/src/**/*.ts').filter((path) => !path.endsWith('.test.ts'))
  const found = sources.flatMap((path) => [...read(path).matchAll(/\benv\['([A-Z_]+)'\]/g)].map((match) => match[1] ?? ''))
  return found.filter((name) => name !== 'PATH')
}

/** What compose takes from outside, the build's arguments among them. */
function composeVariables(): string[] {
  const taken = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g), ...read('infra/Dockerfile').matchAll(/^ARG ([A-Z_]+)/gm)]
  return taken.map((match) => match[1] ?? '')
}

/** Settings whose default in the table is not that of the schema. */
function wrongDefaults(): string[] {
  return [...serviceVariables()].flatMap(([name, value]) => {
    const cells = settings.find(({ names }) => names.includes(name))?.cells ?? []
    const isRight = value === null ? cells.some((cell) => cell.startsWith('none')) : cells.includes(`\`${value}\``)
    return isRight ? [] : [`${name}: ${value}`]
  })
}

/** Files and headings that a page names and that are not there. */
function missing(page: string): string[] {
  const text = read(page)
  const paths = [...text.matchAll(/`((?:packages|services|infra|tests|docs)\/[\w./*-]+)`/g)].map((match) => match[1] ?? '')
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
  const gone = links.filter(([, target = '', anchor]) => {
    const file = target === '' ? page : join(dirname(page), target)
    return !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsOf(read(file)).includes(anchor))
  })
  return [...paths.filter((path) => find(path).length === 0), ...gone.map(([link]) => link)]
}

/** The names under which forges let headings be linked to. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => (match[1] ?? '').toLowerCase())
  return headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

const sorted = (names: Iterable<string>): string[] => [...names].toSorted((one, other) => one.localeCompare(other))
const inCode = sorted(new Set([...serviceVariables().keys(), ...cliVariables(), ...composeVariables()]))
const operations = read('docs/OPERATIONS.md')
const settings = rows(section(operations, '## Environment variables'))

test('every variable that is read stands in a table of OPERATIONS.md, once, and none more', () => {
  expect(inCode.length).toBeGreaterThan(30)
  expect(sorted(settings.flatMap(({ names }) => names))).toEqual(inCode)
})

test('every variable that is read stands in .env.example, once, and none more', () => {
  const named = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1] ?? '')
  expect(sorted(named)).toEqual(inCode)
})

test('the defaults in OPERATIONS.md are those of the schemas', () => {
  expect(wrongDefaults()).toEqual([])
})

test('the limits of a fetch in OPERATIONS.md are those that are in force', () => {
  const limits = section(operations, '## Limits in force').replaceAll(/ +/g, ' ')
  expect(limits).toContain(`| page on the wire, and raw body of an ingest | ${LIMITS.bodyBytes / 1024 / 1024} MiB |`)
  expect(limits).toContain(`| one fetch in all | ${LIMITS.totalMs / 1000} s |`)
  expect(limits).toContain(`| redirects | ${LIMITS.redirects} |`)
  expect(limits).toContain(`| headers | ${LIMITS.headers}, and ${LIMITS.headerBytes / 1024} KiB |`)
  expect(limits).toContain(`| content-encodings on one body | ${LIMITS.encodings} |`)
  for (const ms of [LIMITS.connectMs, LIMITS.headersMs, LIMITS.idleMs])
    expect(limits).toContain(`| connect, head of the answer, silence in the body | ${ms / 1000} s each |`)
})

test.each([
  ['outcome', '## Outcomes', OUTCOMES],
  ['refusal code', '## Refusal codes', REFUSAL_CODES],
  ['fault code', '## Fault codes', FAULT_CODES],
  ['failpoint', '### Failpoints', FAILPOINTS],
])('every %s is explained in STAGES.md, once, and none more', (_, heading, expected) => {
  const found = rows(section(read('docs/STAGES.md'), heading))
  expect(sorted(found.flatMap(({ names }) => names))).toEqual(sorted(expected))
  expect(found.filter(({ cells }) => cells.includes(''))).toEqual([])
})

test('every stage is described in STAGES.md, and every code that a stage is said to give is one', () => {
  const lines = section(read('docs/STAGES.md'), '## The four stages').split('\n')
  const table = lines.filter((line) => line.startsWith('|')).join('\n')
  expect(sorted(new Set(rows(table).flatMap(({ names }) => names)))).toEqual(sorted(STAGES.map(({ name }) => name)))
  const [, given = ''] = table.split('refuses with')
  const codes = [...given.matchAll(/`([a-z0-9-]+)`/g)].map((match) => match[1] ?? '')
  const known: string[] = [...REFUSAL_CODES, ...FAULT_CODES, ...STAGES.map(({ name }) => name)]
  expect(codes.filter((code) => !known.includes(code))).toEqual([])
})

test('ARCHITECTURE.md can be read in one sitting', () => {
  expect(read('docs/ARCHITECTURE.md').split('\n').length).toBeLessThanOrEqual(200)
})

test.each(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...find('docs/**/*.md')])('what %s points to is there', (page) => {
  expect(missing(page)).toEqual([])
})
