/** The pool of child processes in which pages are read. */
export { createParserPool } from './pool.ts'
export type { ParserPool } from './tasks.ts'
export type { CleanReply } from '@copydesk/extraction'
