/** The pool of child processes in which pages are read. */
export { createParserPool, type ParserPoolOptions } from './pool.ts'
export type { CleanTask, DescribeTask, ParserPool, ParserStats } from './tasks.ts'
export type { CleanReply } from '@copydesk/extraction'
