import { OUTCOMES, STAGES, StatusView } from '@copydesk/contracts'
import { createApiClient } from '../client/api.ts'
import { DONE } from '../exit-codes.ts'

/** Shows the queues, the outcomes and whether the sums add up. Resolves to the exit code. */
export async function status(options: { json?: boolean }): Promise<number> {
  const view = await createApiClient().get(StatusView, '/status')
  if (options.json) console.log(JSON.stringify(view))
  else print(view)
  return DONE
}

function print(view: StatusView): void {
  for (const alarm of view.alarms) console.log(`ALARM: ${alarm}`)
  for (const reason of view.waitingFor) console.log(`waiting: ${reason}`)
  const rows = STAGES.map(({ name }) => {
    const { waiting, active, delayed } = view.stages[name]
    return [name, waiting, active, delayed]
  })
  printTable([['stage', 'waiting', 'active', 'delayed'], ...rows])
  const ended = OUTCOMES.filter((name) => view.outcomes[name] > 0).map((name) => `${name} ${view.outcomes[name]}`)
  console.log(`\naccepted ${view.accepted} = in flight ${view.inFlight}${ended.map((text) => ` + ${text}`).join('')}`)
  console.log(view.balanced ? 'the sums add up' : 'THE SUMS DO NOT ADD UP: please report this')
  console.log(
    view.lag === null ? 'nothing is under way' : `what has gone untouched for longest was taken in ${(view.lag / 1000).toFixed(1)} s ago`,
  )
}

function printTable(rows: (string | number)[][]): void {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => String(row[column]).length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => (column === 0 ? String(cell).padEnd(widths[column] ?? 0) : String(cell).padStart(widths[column] ?? 0)))
        .join('  '),
    )
}
