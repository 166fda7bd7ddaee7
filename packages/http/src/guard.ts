import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { fetchUrl, UrlError } from '@copydesk/url'
import { buildConnector } from 'undici'
import { type AllowedAddress, createAllowance } from './allowed-addresses.ts'
import { BlockedAddressError } from './blocked-address-error.ts'
import { classifyAddress } from './classify-address.ts'
import type { Refusal } from './ports.ts'

export interface GuardOptions {
  /** Private addresses that may be reached all the same (`parseAllowCidrs`). */
  allowCidrs: readonly AllowedAddress[]
  /** Ports of public addresses beside 80 and 443. */
  extraPorts?: readonly number[]
  /** Resolves a name to all of its addresses; by default as the system does. */
  resolve?: (hostname: string) => Promise<{ address: string; family: number }[]>
}

export interface Guard {
  /** What can be said of an address without asking DNS: null when it may be tried. The connector has the last word. */
  checkUrl(url: string): Refusal | null
  /** Connections for undici that lead only to addresses that may be reached; gives up after `timeoutMs`. */
  connector(timeoutMs: number): buildConnector.connector
}

/**
 * Keeps fetches away from addresses that are not the public internet's. Names are resolved once, every answer is checked,
 * and the connected socket's own address again: before the request is written, and for literals too, which no look-up sees.
 */
export function createGuard({ allowCidrs, extraPorts = [], resolve = systemResolve }: GuardOptions): Guard {
  const allowed = createAllowance(allowCidrs)
  const ports = new Set([80, 443, ...extraPorts])

  /** Why this address may not be reached under this name; null when it may. */
  const objection = (hostname: string, ip: string, port: number): string | null => {
    if (allowed.has(ip, port)) return null
    if (!isIP(hostname) && isLocalName(hostname)) {
      return allowed.hasPort(port)
        ? `${hostname} leads to ${ip}, which is not among the allowed addresses`
        : `${hostname} is a name of a private network`
    }
    if (classifyAddress(ip) === 'private')
      return hostname === ip ? `${ip} is a private or special address` : `${hostname} leads to the private or special address ${ip}`
    return ports.has(port) ? null : `port ${port} is not one that pages are fetched from`
  }

  const checkUrl = (url: string): Refusal | null => {
    try {
      const { hostname, port, protocol } = new URL(fetchUrl(url))
      const name = bare(hostname)
      const reason = isIP(name) ? objection(name, name, portNumber(port, protocol)) : nameObjection(name, portNumber(port, protocol))
      return reason === null ? null : { code: 'blocked-address', evidence: reason }
    } catch (error) {
      if (error instanceof UrlError) return { code: 'bad-url', evidence: error.message }
      throw error
    }
  }

  /** A name may still lead to an allowed address where its port is one of theirs. */
  const nameObjection = (name: string, port: number): string | null => {
    if (allowed.hasPort(port)) return null
    if (isLocalName(name)) return `${name} is a name of a private network`
    return ports.has(port) ? null : `port ${port} is not one that pages are fetched from`
  }

  const lookupFor =
    (port: number): LookupFunction =>
    (hostname, options, callback) => {
      resolve(hostname).then(
        (addresses) => {
          const reason = addresses.map(({ address }) => objection(hostname, address, port)).find((found) => found !== null)
          const [first] = addresses
          if (reason !== undefined) callback(new BlockedAddressError(reason), '', 0)
          else if (first === undefined) callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0)
          // `all` is how Node asks when it tries several addresses in turn; the other form of answer would be an error there.
          else if (options.all === true) callback(null, addresses)
          else callback(null, first.address, first.family)
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 0),
      )
    }

  const connector = (timeoutMs: number): buildConnector.connector => {
    // One per port, since a look-up is not told the port; kept, for the TLS sessions in it.
    const byPort = new Map<number, buildConnector.connector>()
    return (options, callback) => {
      const port = portNumber(options.port, options.protocol)
      const name = bare(options.hostname)
      const literal = isIP(name) ? objection(name, name, port) : null
      if (literal !== null) {
        queueMicrotask(() => callback(new BlockedAddressError(literal), null))
        return
      }
      const connect = byPort.get(port) ?? buildConnector({ timeout: timeoutMs, allowH2: false, lookup: lookupFor(port) })
      byPort.set(port, connect)
      connect(options, (...[error, socket]) => {
        if (error !== null) return callback(error, null)
        const ip = socket.remoteAddress
        if (ip === undefined) return callback(Object.assign(new Error(`${name} closed the connection`), { code: 'ECONNRESET' }), null)
        const reason = objection(name, ip, port)
        if (reason === null) return callback(null, socket)
        socket.destroy()
        callback(new BlockedAddressError(reason), null)
      })
    }
  }

  return { checkUrl, connector }
}

/** Names that no public DNS answers for: single labels and the reserved suffixes. */
function isLocalName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.+$/, '')
  return !name.includes('.') || /\.(?:localhost|internal|local|svc|home\.arpa|localdomain|lan|intranet|corp|home)$/.test(name)
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function portNumber(port: string, protocol: string): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

function systemResolve(hostname: string): Promise<{ address: string; family: number }[]> {
  return dnsLookup(hostname, { all: true })
}
