import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createArchiveReader, createLedgerReader, type Damage, removeSegments, sweepSegments } from '@copydesk/archive'
import { type Reference } from '@copydesk/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WARCParser } from 'warcio'
import { silent } from '../support/redis.ts'

const WRITER = join(import.meta.dirname, 'archive-writer.ts')
const SWEEPER = join(import.meta.dirname, 'archive-sweeper.ts')
const CHECKER = join(import.meta.dirname, 'archive-checker.ts')

let folder: string
const started: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'copydesk-archive-'))
})

afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  await rm(folder, { recursive: true })
})

interface Kept {
  reference: Reference
  body: string
}

function start(script: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [script, folder, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  return child
}

/** What a process prints, as objects; ends when it does. */
async function* printed<T>(child: ChildProcess): AsyncGenerator<T> {
  for await (const line of createInterface({ input: child.stdout! })) {
    // A line is cut where the process was killed within it: it was not given out whole.
    if (line.endsWith('}')) yield JSON.parse(line) as T
  }
}

/** A writer that is killed with `kill -9` in the middle of its work, and what it had given out. */
async function killWriter(references: number, options: { processId?: string; rotateBytes?: number } = {}): Promise<Kept[]> {
  const { processId = randomUUID(), rotateBytes = 200_000 } = options
  const writer = start(WRITER, String(rotateBytes), processId)
  const kept: Kept[] = []
  for await (const line of printed<Kept>(writer)) {
    kept.push(line)
    if (kept.length === references) writer.kill('SIGKILL')
  }
  return kept
}

async function expectRead(kept: Kept[]): Promise<void> {
  const reader = createArchiveReader({ folder })
  for (const { reference, body } of kept) expect(Buffer.from((await reader.readCapture(reference)).body).toString()).toBe(body.repeat(500))
  await reader.close()
}

/** Every file is a segment that is closed, valid WARC to its last byte, and all that was given out is found in a scan without damage. */
async function expectSwept(kept: Kept[]): Promise<void> {
  const names = await readdir(folder)
  expect(names.filter((name) => !/^raw-[0-9a-f-]+\.warc\.gz$/.test(name))).toEqual([])
  for (const name of names) {
    const types: (string | null)[] = []
    for await (const record of new WARCParser(createReadStream(join(folder, name)))) {
      await record.readFully(false)
      types.push(record.warcType)
    }
    expect(types[0]).toBe('warcinfo')
    expect(types.length).toBeGreaterThan(1)
  }
  const damage: Damage[] = []
  const ledger = createLedgerReader(folder, { onDamage: (each) => damage.push(each) })
  const scanned = new Set<string>()
  for await (const { reference } of ledger.records('raw', 0)) scanned.add(JSON.stringify(reference))
  expect(kept.filter(({ reference }) => !scanned.has(JSON.stringify(reference)))).toEqual([])
  expect(damage).toEqual([])
  expect(ledger.progress()).toBe((await ledger.count('raw')).bytes)
}

/** Everything is old enough for a clock that goes ahead. */
function sweep(isAlive: (processId: string) => Promise<boolean> = async () => false) {
  return sweepSegments({ folder, untouchedMs: 0, isAlive, log: silent, now: () => Date.now() + 60_000 })
}

describe('what a killed writer leaves', () => {
  it('is closed by a sweep: valid WARC, with everything that was given out', async () => {
    const kept: Kept[] = []
    for (let round = 0; round < 3; round += 1) kept.push(...(await killWriter(40 + round * 77)))
    // In the middle of an append, for sure.
    const open = (await readdir(folder)).find((name) => name.endsWith('.open'))!
    const bytes = await readFile(join(folder, open))
    await writeFile(join(folder, open), Buffer.concat([bytes, bytes.subarray(0, 100)]))
    const { cut, closed } = await sweep()
    expect(cut).toContain(open.slice(0, -'.open'.length))
    expect(closed.length).toBeGreaterThanOrEqual(cut.length)
    await expectRead(kept)
    await expectSwept(kept)
  })

  it('is left alone while its process counts as alive, by the id that its segments name', async () => {
    const [alive, dead] = [randomUUID(), randomUUID()]
    const kept = [...(await killWriter(30, { processId: alive })), ...(await killWriter(30, { processId: dead }))]
    const open = (await readdir(folder)).filter((name) => name.endsWith('.open'))
    await sweep(async (id) => id === alive)
    const left = (await readdir(folder)).filter((name) => name.endsWith('.open'))
    expect([open.length, left.length]).toEqual([2, 1])
    await expectRead(kept)
  })

  it('goes by age with the rest, closed segments alone', async () => {
    const kept = await killWriter(200, { rotateBytes: 10_000 })
    await sweep()
    const names = await readdir(folder)
    expect(names.length).toBeGreaterThan(2)
    const [used, old] = names
    for (const name of [used!, old!]) await utimes(join(folder, name), 1000, 1000)
    const { size } = await stat(join(folder, old!))
    const removed = await removeSegments({ folder, kind: 'raw', beforeMs: 2_000_000, inUse: new Set([used!]), log: silent })
    expect(removed).toEqual({ removed: [old], bytes: size, kept: [used] })
    await expectRead(kept.filter(({ reference }) => reference.segment !== old))
  })
})

describe('a sweep', () => {
  it.each(['before', 'after'])('that is killed %s its rename is ended by the next', async (side) => {
    const kept = await killWriter(20)
    const sweeper = start(SWEEPER, 'once', side)
    expect(await once(sweeper, 'exit')).toEqual([null, 'SIGKILL'])
    expect((await readdir(folder)).some((name) => name.endsWith('.closing'))).toBe(true)
    await expectRead(kept)
    await sweep()
    await expectRead(kept)
    await expectSwept(kept)
  })

  it('that is killed anywhere is ended by the next', async () => {
    const kept = await killWriter(20)
    const open = (await readdir(folder)).find((name) => name.endsWith('.open'))!
    const bytes = await readFile(join(folder, open))
    for (let at = 0; at < 60; at += 1) await writeFile(join(folder, `raw-${randomUUID()}.warc.gz.open`), bytes.subarray(0, -at))
    let killed = 0
    for (let round = 0; round < 4; round += 1) {
      const sweeper = start(SWEEPER, 'for-ever', 'never')
      await once(sweeper.stdout!, 'data')
      await sleep(Math.random() * 30)
      sweeper.kill('SIGKILL')
      await once(sweeper, 'exit')
      const left = (await readdir(folder)).filter((name) => !name.endsWith('.gz'))
      if (left.length > 0) killed += 1
      await expectRead(kept)
    }
    expect(killed).toBeGreaterThan(0)
    await sweep()
    await expectRead(kept)
    await expectSwept(kept)
  })

  it('beside another takes nothing away', async () => {
    const kept = (await Promise.all([20, 40, 60, 80].map((references) => killWriter(references)))).flat()
    const sweepers = [start(SWEEPER, 'once'), start(SWEEPER, 'once'), start(SWEEPER, 'once')]
    const lines = await Promise.all(sweepers.map((sweeper) => Array.fromAsync(printed<{ closed?: string[]; warned?: object }>(sweeper))))
    expect(lines.flat().filter(({ warned }) => warned !== undefined)).toEqual([])
    expect(new Set(lines.flat().flatMap(({ closed = [] }) => closed)).size).toBeGreaterThan(0)
    await expectRead(kept)
    await expectSwept(kept)
  })

  it('against a live writer, two of them and again and again: no reference that was given out is wrong', async () => {
    const writer = start(WRITER, '200000')
    const sweepers = [start(SWEEPER, 'for-ever'), start(SWEEPER, 'for-ever')]
    const closed = new Set<string>()
    const warned: object[] = []
    const watched = sweepers.map(async (sweeper) => {
      for await (const line of printed<{ closed?: string[]; warned?: object }>(sweeper)) {
        for (const segment of line.closed ?? []) closed.add(segment)
        if (line.warned !== undefined) warned.push(line.warned)
      }
    })
    const kept: Kept[] = []
    const failures: string[] = []
    const until = Date.now() + 15_000
    for await (const line of printed<Partial<Kept> & { failed?: string }>(writer)) {
      if (line.failed === undefined) kept.push(line as Kept)
      else failures.push(line.failed)
      if ((kept.length >= 1500 && closed.size >= 30) || Date.now() > until) writer.kill('SIGKILL')
    }
    for (const sweeper of sweepers) sweeper.kill('SIGKILL')
    await Promise.all(watched)
    expect(
      [kept.length, closed.size, failures.length].map((count) => count > 20),
      `${kept.length} kept`,
    ).toEqual([true, true, true])
    const reasons = new Set(failures.map((failure) => failure.replaceAll(/\d+/g, 'N').replace(/^.*: /, '')))
    expect([...reasons].filter((reason) => !/closed by another|removed while|has N bytes|no such file/.test(reason))).toEqual([])
    expect(warned).toEqual([])
    await expectRead(kept)
    await sweep()
    await expectRead(kept)
  })

  it('over a writer that was frozen and wakes again and again: it goes on in new segments, and gives out nothing that is lost', async () => {
    const writer = start(WRITER, '100000000')
    const kept: Kept[] = []
    const ended = (async () => {
      for await (const line of printed<Partial<Kept>>(writer)) if (line.reference !== undefined) kept.push(line as Kept)
    })()
    for (let round = 0; round < 15; round += 1) {
      const before = kept.length
      await expect.poll(() => kept.length, { timeout: 10_000 }).toBeGreaterThan(before + 10)
      writer.kill('SIGSTOP')
      await sleep(20)
      await sweep()
      writer.kill('SIGCONT')
    }
    writer.kill('SIGKILL')
    await ended
    expect(new Set(kept.map(({ reference }) => reference.segment)).size).toBeGreaterThan(10)
    await sweep()
    await expectRead(kept)
  })
})

/** Whether a file system of one's own can be mounted here, in a space of its own. */
const [OWN_SPACE, ...OWN_MOUNTS] = ['unshare', '-Urm'] as const
const canMount = spawnSync(OWN_SPACE, [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0

describe.skipIf(!canMount)('an archive folder on a disk of its own', () => {
  async function check(mount: string): Promise<{ message: string; free: number }> {
    const command = `${mount} && exec "$0" "$@"`
    const { stdout } = await promisify(execFile)(OWN_SPACE, [...OWN_MOUNTS, 'sh', '-c', command, process.execPath, CHECKER, folder])
    return JSON.parse(stdout) as { message: string; free: number }
  }

  it("is good, and its free bytes are the disk's", async () => {
    const { message, free } = await check(`mount -t tmpfs -o size=1m x ${folder}`)
    expect([message, free <= 1024 * 1024, free > 900_000]).toEqual(['good', true, true])
  })

  it('is refused with the cure where the disk is full', async () => {
    const { message, free } = await check(`mount -t tmpfs -o size=1m x ${folder} && head -c 1048576 /dev/zero > ${folder}/full`)
    expect(message).toBe(`cannot write to the archive in ${folder}: the disk is full: free space, or give the archive a larger disk`)
    expect(free).toBe(0)
  })

  it('is refused with the cure where it is mounted read-only', async () => {
    const { message } = await check(`mount -t tmpfs -o ro x ${folder}`)
    expect(message).toBe(`cannot write to the archive in ${folder}: the file system is mounted read-only: mount it writable`)
  })
})
