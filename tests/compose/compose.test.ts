import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CaptureView, IngestResponse, SearchResponse, StatusView } from '@copydesk/contracts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type ComposeProject, type Container, composeProject, hasEngine, inspectAll } from './compose.ts'

const NAME = 'copydesk-compose-test'
const OURS = ['scheduler', 'fetch', 'clean', 'extract-metadata', 'index', 'api']
const STORY = `print PRINT

Harbour bridge opens after ten years of work

The bridge over the harbour was opened on Monday by the mayor, ten years after the first pile was driven into the mud of the bay, and thousands came to walk across it before the first cars were let on.

Ships will pass beneath it at all tides, the port said in a statement, and the ferries that carried commuters for a century will end their service in the spring of next year.

* News
* Sport
* Weather
`

const engine = hasEngine()
if (!engine) console.warn('tests/compose is skipped: no Docker engine with compose answers here (`docker info` says why)')

describe.skipIf(!engine)('docker compose up --wait --build', () => {
  let project: ComposeProject
  let containers: Map<string, Container>

  beforeAll(async () => {
    project = await composeProject(NAME)
    // A run that was cut may have left one.
    await project.compose('down', '--volumes', '--remove-orphans')
    await project.compose('up', '--wait', '--build', '--detach')
    containers = await inspectAll(project)
  })
  afterAll(async () => {
    await project.compose('down', '--volumes')
  })

  test('ends with every container healthy, and the set-up done', () => {
    expect([...containers.keys()].toSorted()).toEqual([...OURS, 'elasticsearch', 'redis', 'setup'].toSorted())
    expect(containers.get('setup')?.State).toMatchObject({ Status: 'exited', ExitCode: 0 })
    const unhealthy = [...containers].filter(([name, { State }]) => name !== 'setup' && State.Health?.Status !== 'healthy')
    expect(unhealthy.map(([name]) => name)).toEqual([])
  })

  test('nothing of ours runs as root, may gain privileges, holds a capability or writes outside its volumes', () => {
    for (const name of [...OURS, 'setup', 'redis']) {
      const { Config, HostConfig } = containers.get(name)!
      expect({ name, user: Config.User }).toEqual({ name, user: name === 'redis' ? 'redis' : 'node' })
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges:true'] })
      expect(HostConfig.Memory).toBeGreaterThan(0)
    }
  })

  test('only the API and Elasticsearch are published, and on loopback', () => {
    const published = [...containers].filter(([, { HostConfig }]) => Object.keys(HostConfig.PortBindings).length > 0)
    expect(published.map(([name]) => name).toSorted()).toEqual(['api', 'elasticsearch'])
    const addresses = published.flatMap(([, { HostConfig }]) => Object.values(HostConfig.PortBindings).flat())
    expect(addresses.map((address) => address?.HostIp)).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  test('only fetch is in the network that leads outside', () => {
    const outside = [...containers].filter(([, { NetworkSettings }]) => `${NAME}_outside` in NetworkSettings.Networks)
    expect(outside.map(([name]) => name)).toEqual(['fetch'])
  })

  test('a text that the API takes is found by the API and by curl in Elasticsearch', async () => {
    const taken = IngestResponse.parse(
      await send(`${project.api}/api/v1/ingest?url=https://example.org/bridge`, 'text/plain; charset=utf-8', STORY),
    )
    const capture = z.object({ captureId: z.string() }).parse(taken.results[0])
    const view = await vi.waitFor(
      async () => {
        const now = CaptureView.parse(await get(`${project.api}/api/v1/captures/${capture.captureId}`))
        expect(now.outcome).toBeDefined()
        return now
      },
      { timeout: 30_000, interval: 200 },
    )
    expect(view.outcome).toBe('indexed')

    await vi.waitFor(
      async () => {
        const found = SearchResponse.parse(await get(`${project.api}/api/v1/search?q=harbour+bridge`))
        expect(found.articles.map(({ title }) => title)).toEqual(['Harbour bridge opens after ten years of work'])
      },
      { timeout: 30_000, interval: 200 },
    )
    const { stdout } = await promisify(execFile)('curl', [
      '--silent',
      '--user',
      'elastic:copydesk-local',
      `${project.elasticsearch}/articles/_search?q=text:ferries&filter_path=hits.hits._id,hits.hits._source.title`,
    ])
    expect(JSON.parse(stdout)).toEqual({
      hits: { hits: [{ _id: view.articleId, _source: { title: 'Harbour bridge opens after ten years of work' } }] },
    })
  })

  test('what was counted is still there after Redis was restarted', async () => {
    const before = StatusView.parse(await get(`${project.api}/api/v1/status`))
    await project.compose('restart', 'redis')
    await vi.waitFor(
      async () => {
        const after = StatusView.parse(await get(`${project.api}/api/v1/status`))
        expect(after).toMatchObject({ accepted: before.accepted, outcomes: before.outcomes, balanced: true })
      },
      { timeout: 60_000, interval: 500 },
    )
  })

  test('goes away with all that it kept on `docker compose down -v`', async () => {
    await project.compose('down', '--volumes')
    expect(await project.compose('ps', '--all', '--quiet')).toBe('')
    expect(await project.compose('volumes', '--quiet')).toBe('')
  })
})

async function get(url: string): Promise<unknown> {
  return (await fetch(url, { signal: AbortSignal.timeout(10_000) })).json()
}

async function send(url: string, type: string, body: string): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body, signal: AbortSignal.timeout(10_000) })
  return answer.json()
}
