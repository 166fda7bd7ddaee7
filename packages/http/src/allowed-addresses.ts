import { BlockList, isIP } from 'node:net'

/** A range of addresses that the operator allows though it is private, on one port. */
export interface AllowedAddress {
  network: string
  prefix: number
  family: 'ipv4' | 'ipv6'
  port: number
}

/**
 * Reads `FETCH_ALLOW_CIDRS`: `127.0.0.1/32:8080, [::1]/128:8080`, entries separated by commas; empty text allows nothing.
 * Throws an Error that names the entry and how it is written.
 */
export function parseAllowCidrs(text: string): AllowedAddress[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry)
}

function parseEntry(entry: string): AllowedAddress {
  const [, bracketed, plain, prefixText, portText] = /^(?:\[([^\]]+)\]|([^[\]/]+))\/(\d{1,3}):(\d{1,5})$/.exec(entry) ?? []
  const network = bracketed ?? plain ?? ''
  const version = network.includes('%') ? 0 : isIP(network)
  const [prefix, port] = [Number(prefixText), Number(portText)]
  if (version === 0 || prefix > (version === 4 ? 32 : 128) || port < 1 || port > 65_535) {
    throw new Error(`"${entry}" is not an allowed address: write network/prefix:port, such as 127.0.0.1/32:8080 or [::1]/128:8080`)
  }
  if (version === 6 && /^[0:]*:ffff:/i.test(network)) {
    throw new Error(`"${entry}" is an IPv4 address in IPv6 form: write it as IPv4, such as 127.0.0.1/32:8080`)
  }
  return { network, prefix, family: version === 4 ? 'ipv4' : 'ipv6', port }
}

/** Answers for one list of allowed addresses. */
export interface Allowance {
  hasPort(port: number): boolean
  has(ip: string, port: number): boolean
}

export function createAllowance(addresses: readonly AllowedAddress[]): Allowance {
  const lists = new Map<string, BlockList>()
  for (const { network, prefix, family, port } of addresses) {
    // A list per family: a BlockList would match IPv4 addresses against IPv6 rules as well.
    const list = lists.get(`${family} ${port}`) ?? new BlockList()
    list.addSubnet(network, prefix, family)
    lists.set(`${family} ${port}`, list)
  }
  return {
    hasPort: (port) => addresses.some((address) => address.port === port),
    has: (ip, port) => {
      const version = ip.includes('%') ? 0 : isIP(ip)
      if (version === 0) return false
      const family = version === 4 ? 'ipv4' : 'ipv6'
      return lists.get(`${family} ${port}`)?.check(ip, family) ?? false
    },
  }
}
