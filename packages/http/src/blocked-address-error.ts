/** A connection that the guard did not let happen; never leaves this package. */
export class BlockedAddressError extends Error {
  override readonly name = 'BlockedAddressError'
  readonly code = 'blocked-address'
}
