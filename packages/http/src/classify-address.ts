import { BlockList, isIP } from 'node:net'

// IANA's special-purpose registries, and multicast.
const PRIVATE_V4 = subnets('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
])

// Whatever is not global unicast is private: IPv4 in any of its IPv6 disguises, link-local and unique local addresses, multicast.
// Two lists, since a rule for ::ffff:0:0/96 in a BlockList would match every IPv4 address.
const GLOBAL_V6 = subnets('ipv6', [['2000::', 3]])
const PRIVATE_V6 = subnets('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
])

/** Whether the IP address is one of the public internet. What is no address at all counts as private. */
export function classifyAddress(ip: string): 'public' | 'private' {
  switch (ip.includes('%') ? 0 : isIP(ip)) {
    case 4:
      return PRIVATE_V4.check(ip, 'ipv4') ? 'private' : 'public'
    case 6:
      return GLOBAL_V6.check(ip, 'ipv6') && !PRIVATE_V6.check(ip, 'ipv6') ? 'public' : 'private'
    default:
      return 'private'
  }
}

function subnets(family: 'ipv4' | 'ipv6', entries: [network: string, prefix: number][]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of entries) list.addSubnet(network, prefix, family)
  return list
}
