import { type CaptureId, type CaptureView, Hints } from '@copydesk/contracts'
import { createApiClient, Refused } from '../client/api.ts'
import { expandInputs } from '../ingest/expand-inputs.ts'
import { type Sent, sendInputs } from '../ingest/send.ts'
import { waitForOutcomes, waitUntilSearchable } from '../ingest/wait.ts'
import { CannotRun } from '../local/cannot-run.ts'
import { createProgressLine } from '../progress-line.ts'
import { COULD_NOT_RUN, DONE, SOME_FAILED } from '../exit-codes.ts'

export interface IngestOptions {
  url?: string
  title?: string
  published?: string
  author?: string
  language?: string
  tags?: string
  wait?: boolean
  json?: boolean
}

/** What `--json` prints for each input. */
interface Row {
  input: string
  captureId?: string
  duplicateOf?: string
  outcome?: string
  code?: string
  reason?: string
  articleId?: string
  /** It may be accepted yet. */
  undecided?: boolean
}

/** Takes in addresses, files, folders and standard input; with `wait`, follows them to their outcomes. Resolves to the exit code. */
export async function ingest(names: string[], options: IngestOptions): Promise<number> {
  const api = createApiClient()
  const { inputs, bad } = await expandInputs(names)
  const rows: Row[] = bad.map(({ name, reason }) => ({ input: name, reason, code: 'unreadable' }))
  if (inputs.length === 0 && bad.length === 0) throw new CannotRun('there is nothing to take in: the folder holds no files')
  if (options.url !== undefined && inputs.filter(({ kind }) => kind !== 'url').length !== 1)
    throw new CannotRun('--url is the address of one file, or of standard input: give exactly one beside it')

  const line = createProgressLine()
  const sent: Sent[] = []
  try {
    const given = { ...(options.url !== undefined && { url: options.url }), hints: hintsOf(options) }
    const onHeld = (reason: string) => line.show(`taken in ${sent.length} of ${inputs.length}, waiting: ${reason}`)
    await sendInputs(api, inputs, { ...given, onHeld }, (each) => {
      sent.push(each)
      line.show(`taken in ${sent.length} of ${inputs.length}`)
    })
  } catch (error) {
    line.clear()
    if (error instanceof Refused) throw new CannotRun(error.message, { cause: error })
    throw error
  }
  const views = options.wait ? await follow(sent, line) : new Map<CaptureId, CaptureView>()
  line.clear()
  rows.push(...sent.map((each) => rowOf(each, views)))
  print(rows, options)
  return exitCode(rows)

  async function follow(all: Sent[], progress: typeof line): Promise<Map<CaptureId, CaptureView>> {
    // Of a repeat, the capture that it repeats is waited for as well.
    const ids = all.flatMap((each) =>
      'captureId' in each && !each.undecided ? [each.captureId, ...(each.duplicateOf ? [each.duplicateOf] : [])] : [],
    )
    const followed = await waitForOutcomes(api, [...new Set(ids)], ({ done, of, stages, held }) => {
      const under = Object.entries(stages).filter(([, count]) => count > 0)
      progress.show(
        `${done} of ${of} done${under.map(([stage, count]) => ` · ${stage} ${count}`).join('')}${held ? ` · put back: ${held}` : ''}`,
      )
    })
    await waitUntilSearchable(api, followed.values())
    return followed
  }
}

function hintsOf({ title, published, author, language, tags }: IngestOptions): Hints {
  const given = { title, published, author, language, tags: tags?.split(',') }
  const hints = Hints.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
  if (hints.success) return hints.data
  const issue = hints.error.issues[0]
  throw new CannotRun(`--${String(issue?.path[0])}: ${issue?.message ?? 'is not what it should be'}`)
}

function rowOf(sent: Sent, views: ReadonlyMap<CaptureId, CaptureView>): Row {
  if (!('captureId' in sent)) return { input: sent.name, reason: sent.reason, code: sent.code }
  const { name, captureId, duplicateOf } = sent
  const view = views.get(captureId)
  const articleId = view?.articleId ?? (duplicateOf && views.get(duplicateOf)?.articleId)
  return {
    input: name,
    captureId,
    ...(duplicateOf && { duplicateOf }),
    ...(sent.undecided && { undecided: true, reason: `it may be accepted yet: look it up with ./copydesk trace ${captureId}` }),
    ...(view?.outcome && { outcome: view.outcome }),
    ...(view?.code && { code: view.code }),
    ...(view?.reason && { reason: view.reason }),
    ...(articleId && { articleId }),
  }
}

/** Lines about what was not taken in, or ended badly. */
const MOST_LINES = 50

function isBad(row: Row): boolean {
  return row.captureId === undefined || row.undecided === true || row.outcome === 'refused' || row.outcome === 'failed'
}

function print(rows: Row[], { json, wait }: IngestOptions): void {
  if (json) {
    console.log(JSON.stringify({ results: rows }))
    return
  }
  const bad = rows.filter(isBad)
  for (const row of bad.slice(0, MOST_LINES))
    console.error(`copydesk: ${row.input}: ${row.outcome ? `${row.outcome} (${row.code}): ` : ''}${row.reason ?? row.code}`)
  if (bad.length > MOST_LINES) console.error(`copydesk: and ${bad.length - MOST_LINES} more; --json names all`)
  const good = rows.filter((row) => !isBad(row))
  if (good.length <= 20)
    for (const row of good)
      console.log(
        `${row.captureId}  ${row.outcome ?? (row.duplicateOf ? `waits already as ${row.duplicateOf}` : 'taken in')}  ${row.input}`,
      )
  const counts = Map.groupBy(rows, (row) => row.outcome ?? (row.undecided ? 'undecided' : row.captureId ? 'taken in' : 'not taken in'))
  if (rows.length > 1) console.log([...counts].map(([name, each]) => `${each.length} ${name}`).join(', '))
  if (!wait && good.length > 0) console.log('follow it with ./copydesk status, or ./copydesk trace ID')
}

function exitCode(rows: Row[]): number {
  const bad = rows.filter(isBad).length
  if (bad === 0) return DONE
  return rows.some(({ captureId }) => captureId !== undefined) ? SOME_FAILED : COULD_NOT_RUN
}
