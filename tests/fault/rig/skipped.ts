/** A drill that this machine can't do; the message says why. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}
