import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort, ROOT } from '@copydesk/cli'
import { z } from 'zod'

const run = promisify(execFile)

/** A compose project of the test's own, beside any that the operator runs. */
export interface ComposeProject {
  api: string
  elasticsearch: string
  compose: (...args: string[]) => Promise<string>
}

/** Whether an engine answers and has compose. */
export function hasEngine(): boolean {
  return [['info'], ['compose', 'version']].every((args) => spawnSync('docker', args, { stdio: 'ignore' }).status === 0)
}

/** The project `name` on free ports, with an image of its own name and without what an .env says. Starts nothing. */
export async function composeProject(name: string): Promise<ComposeProject> {
  const [api, elasticsearch] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    COPYDESK_IMAGE: name,
    API_PORT: String(api),
    ELASTICSEARCH_PORT: String(elasticsearch),
    ELASTIC_PASSWORD: undefined,
    COMPOSE_FILE: undefined,
    COMPOSE_PROFILES: undefined,
  }
  return {
    api: `http://127.0.0.1:${api}`,
    elasticsearch: `http://127.0.0.1:${elasticsearch}`,
    async compose(...args) {
      const all = ['compose', '--project-name', name, '--env-file', '/dev/null', ...args]
      const { stdout } = await run('docker', all, { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 }).catch((error: { stderr?: string }) => {
        // The build's own words are long; why it failed stands at their end.
        throw new Error(`docker ${all.join(' ')} failed:\n${error.stderr?.trimEnd().split('\n').slice(-15).join('\n')}`, { cause: error })
      })
      return stdout
    },
  }
}

const Container = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Status: z.string(), ExitCode: z.int(), Health: z.object({ Status: z.string() }).nullish() }),
  Config: z.object({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
  HostConfig: z.object({
    ReadonlyRootfs: z.boolean(),
    SecurityOpt: z.array(z.string()).nullable(),
    CapDrop: z.array(z.string()).nullable(),
    PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string() })).nullable()),
    Memory: z.int(),
  }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
})
export type Container = z.infer<typeof Container>

/** What the engine says of the project's containers, by the service's name. */
export async function inspectAll(project: ComposeProject): Promise<Map<string, Container>> {
  const ids = (await project.compose('ps', '--all', '--quiet')).trim().split('\n')
  const { stdout } = await run('docker', ['inspect', ...ids], { maxBuffer: 64 * 1024 * 1024 })
  const containers = z.array(Container).parse(JSON.parse(stdout))
  return new Map(containers.map((container) => [container.Config.Labels['com.docker.compose.service'] ?? container.Name, container]))
}
