/** What every process of Copydesk is framed by: settings, log, health and metrics, a graceful end, the parser pool. Services and cli only. */
export { answerHealth, type Health } from './health-server.ts'
export { CommonEnv, CONFIG_EXIT, ConfigError, envTypes, loadEnv, StageEnv } from './load-env.ts'
export { createLogger } from './logger.ts'
export { connectPipeline, type PipelineParts } from './pipeline-parts.ts'
export { runService, type RunningService, type ServiceContext } from './service.ts'
export { createParserPool, type ParserPool, type CleanReply } from './parser/index.ts'
export { runPageService } from './page-service.ts'
export { runStageService, type StageWiring } from './stage-service.ts'
