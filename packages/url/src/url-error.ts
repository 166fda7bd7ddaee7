export type UrlErrorCode = 'not-a-url' | 'scheme' | 'userinfo' | 'no-host' | 'too-long'

/** An address that can't be taken. The message names the cause and the cure; it never repeats the address, which may hold a password. */
export class UrlError extends Error {
  override readonly name = 'UrlError'
  readonly code: UrlErrorCode
  constructor(code: UrlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
