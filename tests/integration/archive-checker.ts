/** Checks an archive folder and prints what is wrong with it. Run by archive-sweep.test.ts: `node archive-checker.ts FOLDER`. */
import { checkFolder, freeBytes } from '@copydesk/archive'

const [folder = ''] = process.argv.slice(2)
const message = await checkFolder(folder).then(
  () => 'good',
  (error: unknown) => (error as Error).message,
)
process.stdout.write(JSON.stringify({ message, free: await freeBytes(folder) }))
