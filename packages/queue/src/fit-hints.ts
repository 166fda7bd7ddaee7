import type { Hints } from '@copydesk/contracts'

/** Most of the hints, in bytes as a job carries them. */
const HINT_BYTES = 4096

/** Hints that a job can carry: where they are too long together, tags go first, from the last, then the author, then the title. */
export function fitHints(hints: Hints): Hints {
  let fitted = hints
  while (Buffer.byteLength(JSON.stringify(fitted)) > HINT_BYTES) fitted = shorter(fitted)
  return fitted
}

function shorter({ tags, author, title, ...rest }: Hints): Hints {
  if (tags && tags.length > 0) return { ...rest, ...(author && { author }), ...(title && { title }), tags: tags.slice(0, -1) }
  if (author) return { ...rest, ...(title && { title }) }
  return rest
}
