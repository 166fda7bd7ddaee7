/** Something that the command needs is missing or wrong: the message names it and the cure, and the command exits 2. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun'
}
