/** Exit codes of every command: all done, some of it failed, could not run. */
export const DONE = 0
export const SOME_FAILED = 1
export const COULD_NOT_RUN = 2
