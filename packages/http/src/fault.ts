import type { FaultCode } from '@copydesk/contracts'
import { PermanentError, RetryableError } from '@copydesk/pipeline'

const CODES: Partial<Record<string, FaultCode>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EHOSTDOWN: 'connect',
  EADDRNOTAVAIL: 'connect',
  EACCES: 'connect',
  EPERM: 'connect',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad-response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'cut-short',
}

const WORDS: Partial<Record<FaultCode, string>> = {
  dns: 'has no address in DNS, or DNS did not answer',
  connect: 'could not be reached',
  reset: 'closed the connection without an answer',
  timeout: 'did not answer in time',
  tls: 'could not be trusted: its TLS certificate or handshake is wrong',
  'bad-response': 'answered with what is not HTTP, or with too large a head',
  'cut-short': 'ended its answer early',
}

/** What an error of undici or of a socket means, in the pipeline's terms. An error that says nothing of the other side is given back as it is. */
export function fault(error: unknown, host: string): unknown {
  const code = errorCode(error)
  const meaning = faultCode(code)
  if (meaning === undefined) return error
  const message = `${host} ${WORDS[meaning] ?? 'failed'} (${code})`
  const options = { cause: withoutBytes(error) }
  const permanent = meaning === 'tls' || code === 'UND_ERR_HEADERS_OVERFLOW'
  return permanent ? new PermanentError(meaning, message, options) : new RetryableError(meaning, message, options)
}

/** undici's parser errors carry the bytes that they stumbled over, cookies and all: not for a log. */
export function withoutBytes(error: unknown): unknown {
  return error instanceof Error && 'data' in error ? new Error(error.message) : error
}

/** Whether the other side broke off: what came before may still be of use. */
export function isBrokenOff(error: unknown): boolean {
  const code = errorCode(error)
  return faultCode(code) === 'reset' || faultCode(code) === 'cut-short' || code.startsWith('HPE_')
}

function faultCode(code: string): FaultCode | undefined {
  if (code.startsWith('HPE_')) return 'bad-response'
  // OpenSSL's verification errors have no common prefix.
  if (
    /^(?:EPROTO$|ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/.test(
      code,
    )
  ) {
    return 'tls'
  }
  return CODES[code]
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  // undici's own parser errors may come without a code.
  return error.name === 'HTTPParserError' ? 'HPE_UNKNOWN' : ''
}
