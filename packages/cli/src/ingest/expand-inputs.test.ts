import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { expandInputs } from './expand-inputs.ts'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'copydesk-inputs-'))
  onTestFinished(async () => await rm(path, { recursive: true, force: true }))
  return path
}

test('addresses, standard input, files and folders become inputs, in order', async () => {
  const path = await folder()
  await mkdir(join(path, 'in'))
  for (const name of ['b.html', 'in/a.TXT', 'in/z', '.hidden']) await writeFile(join(path, name), 'x')
  const { inputs, bad } = await expandInputs(['https://news.example/a', '-', path])
  expect(bad).toEqual([])
  expect(inputs).toEqual([
    { kind: 'url', name: 'https://news.example/a' },
    { kind: 'stdin', name: '-' },
    { kind: 'file', name: join(path, 'b.html'), contentType: 'text/html' },
    { kind: 'file', name: join(path, 'in/a.TXT'), contentType: 'text/plain' },
    { kind: 'file', name: join(path, 'in/z'), contentType: 'application/octet-stream' },
  ])
})

test('a missing file is named, and the others go on', async () => {
  const path = await folder()
  await writeFile(join(path, 'a.txt'), 'x')
  const { inputs, bad } = await expandInputs([join(path, 'missing.txt'), join(path, 'a.txt'), 'news.example/a'])
  expect(inputs).toHaveLength(1)
  expect(bad).toEqual([
    { name: join(path, 'missing.txt'), reason: 'there is no such file or folder' },
    { name: 'news.example/a', reason: 'there is no such file or folder; an address begins with https://' },
  ])
})

test('a link that leads back into a folder does not take its files in again', async () => {
  const path = await folder()
  await writeFile(join(path, 'a.txt'), 'x')
  await symlink(path, join(path, 'loop'))
  const { inputs, bad } = await expandInputs([path])
  expect([inputs.map(({ name }) => name), bad]).toEqual([[join(path, 'a.txt')], []])
})
