import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { run } from './run.ts'

let errors: string
let output: string
beforeEach(() => {
  errors = output = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true))
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((output += String(text)), true))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (errors += `${text}\n`))
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const copydesk = (...args: string[]): Promise<number> => run(['node', 'copydesk', ...args])

test('an unknown command could not run, in one line', async () => {
  expect(await copydesk('fly')).toBe(2)
  expect(errors).toBe("copydesk: unknown command 'fly'\n")
})

test('a port that is none is named with the range', async () => {
  expect(await copydesk('up', '--port', '70000')).toBe(2)
  expect(errors).toBe("copydesk: option '--port <port>' argument '70000' is invalid. 70000 is no port: give a number from 0 to 65535.\n")
})

test('a wrong API_PORT in the environment is named', async () => {
  vi.stubEnv('API_PORT', 'http')
  expect(await copydesk('up')).toBe(2)
  expect(errors).toBe('copydesk: API_PORT: http is no port: give a number from 0 to 65535.\n')
})

test('help and version are done with', async () => {
  expect(await copydesk('--version')).toBe(0)
  expect(await copydesk('up', '--help')).toBe(0)
  expect(output).toMatch(/^\d+\.\d+\.\d+\nUsage: copydesk up /)
  expect(errors).toBe('')
})
