import { COULD_NOT_RUN } from './exit-codes.ts'
import { run } from './run.ts'

// Who reads no further, such as `head`, has what they wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await run(process.argv).catch((error: unknown) => {
  console.error(`copydesk: this is our fault, please report it: ${error instanceof Error ? error.stack : String(error)}`)
  return COULD_NOT_RUN
})
