/** From a page's bytes to an article. Pure: bytes and facts in, values out. */
export { cleanPage, type CleanReply } from './clean-page.ts'
export { describePage } from './describe-page.ts'
export { sniffBinary } from './decode/sniff-binary.ts'
export type { Refusal } from './refusal.ts'
