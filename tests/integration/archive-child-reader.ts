/** A process without the right to write, as the parser's children are: reads the reference it is given and tries to write. Run by archive.test.ts. */
import { writeFileSync } from 'node:fs'
import { createArchiveReader } from '@copydesk/archive'
import { Reference } from '@copydesk/contracts'

const [folder = '', reference = ''] = process.argv.slice(2)
const reader = createArchiveReader({ folder })
const page = await reader.readCapture(Reference.parse(JSON.parse(reference)))
process.stdout.write(`${page.capture.url} ${page.body.byteLength}\n`)
try {
  writeFileSync(`${folder}/written`, '')
  process.stdout.write('could write\n')
} catch (error) {
  process.stdout.write(`${(error as NodeJS.ErrnoException).code}\n`)
}
await reader.close()
