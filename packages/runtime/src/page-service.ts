import type { PageReference } from '@copydesk/contracts'
import type { Stage } from '@copydesk/pipeline'
import { envTypes, StageEnv } from './load-env.ts'
import { createParserPool, type ParserPool } from './parser/index.ts'
import { runStageService } from './stage-service.ts'

const PageEnv = StageEnv.extend({
  PARSER_PROCESSES: envTypes.count.default(1),
  PARSER_DEADLINE_MS: envTypes.milliseconds.default(10_000),
})

/** Runs a stage that works on pages as a service: its work is done in a pool of child processes. */
export async function runPageService<Output>(stage: Stage<PageReference, Output, { pages: ParserPool }>): Promise<void> {
  await runStageService(PageEnv, stage, async (env) => {
    const pages = createParserPool({ store: env.ARCHIVE_DIR, size: env.PARSER_PROCESSES, deadlineMs: env.PARSER_DEADLINE_MS })
    return {
      deps: { pages },
      // One waits ready for each that a child works on.
      concurrency: env.PARSER_PROCESSES * 2,
      deadlineMs: env.PARSER_DEADLINE_MS * 2 + 20_000,
      close: async () => await pages.close(),
    }
  })
}
