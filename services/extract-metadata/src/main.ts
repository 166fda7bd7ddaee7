import { createParserPool, envTypes, runStageService, StageEnv } from '@copydesk/runtime'
import { extractMetadataStage } from './stage.ts'

const MetadataEnv = StageEnv.extend({
  PARSER_PROCESSES: envTypes.count.default(1),
  PARSER_DEADLINE_MS: envTypes.milliseconds.default(10_000),
})

await runStageService(MetadataEnv, extractMetadataStage, async (env) => {
  const pages = createParserPool({ store: env.ARCHIVE_DIR, size: env.PARSER_PROCESSES, deadlineMs: env.PARSER_DEADLINE_MS })
  return {
    deps: { pages },
    // One waits ready for each that a child works on.
    concurrency: env.PARSER_PROCESSES * 2,
    deadlineMs: env.PARSER_DEADLINE_MS * 2 + 20_000,
    close: async () => await pages.close(),
  }
})
