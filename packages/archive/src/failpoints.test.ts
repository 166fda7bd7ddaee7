import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { armFailpoints } from '@copydesk/pipeline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createArchive } from './archive.ts'
import { writeEpoch } from './epoch.ts'
import { endRecord, fetchedPage, intakeRecord, newFolder, newStamp, silent } from './test-data.ts'

let folder: string
let passed: string[]

beforeEach(async () => {
  folder = await newFolder()
  passed = []
  armFailpoints((name, side) => void passed.push(`${name} ${side}`))
})

afterEach(async () => {
  armFailpoints(null)
  await rm(folder, { recursive: true })
})

describe('the failpoints of the archive', () => {
  it.each([
    ['raw', async (archive) => void (await archive.keepCapture(newStamp(), fetchedPage('a')))],
    ['clean', async (archive) => void (await archive.keepRecord('clean', newStamp(), 1))],
    ['article', async (archive) => void (await archive.keepRecord('article', newStamp(), 1))],
    ['intake', async (archive) => void (await archive.keepIntake(intakeRecord('2026-11-20T10:00:00.000Z')))],
    ['ends', async (archive) => archive.end(endRecord(newStamp()))],
  ] satisfies [string, (archive: ReturnType<typeof createArchive>) => Promise<void>][])(
    'are passed around the creation, the sync and the closing of a segment of %s',
    async (kind, keep) => {
      const archive = createArchive({ folder, log: silent })
      await keep(archive)
      await archive.close()
      const names = ['segment.create', `sync.${kind}`, 'segment.rename']
      expect(passed).toEqual(names.flatMap((name) => [`${name} before`, `${name} after`]))
    },
  )

  it('lie where their names say: nothing there before, all there after', async () => {
    const seen: [string, string[], number][] = []
    armFailpoints((name, side) => {
      const [file] = readdirSync(folder)
      seen.push([`${name} ${side}`, [file?.replace(/^.*gz/, '') ?? ''], file === undefined ? 0 : readFileSync(join(folder, file)).length])
    })
    const archive = createArchive({ folder, log: silent })
    const { offset, length } = await archive.keepRecord('clean', newStamp(), 1)
    await archive.close()
    expect(seen).toEqual([
      ['segment.create before', [''], 0],
      ['segment.create after', ['.open'], offset],
      ['sync.clean before', ['.open'], offset + length],
      ['sync.clean after', ['.open'], offset + length],
      ['segment.rename before', ['.open'], offset + length],
      ['segment.rename after', [''], offset + length],
    ])
  })

  it('are passed around the moment in which the epoch gets its name', async () => {
    const there: boolean[] = []
    armFailpoints((name) => void (name === 'epoch.write' && there.push(existsSync(join(folder, 'epoch')))))
    await writeEpoch(folder, 'first')
    expect(there).toEqual([false, true])
  })
})
