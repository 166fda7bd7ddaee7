/** What stands before every key of Copydesk in Redis: a hash tag, so that scripts may touch all of them. */
export const DEFAULT_PREFIX = '{copydesk}'
