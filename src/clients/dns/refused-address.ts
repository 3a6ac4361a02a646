import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Where nothing of ours ever connects to: what hands out credentials to whoever asks from inside, and what is no single machine. */
const refused = new BlockList()
refused.addSubnet('0.0.0.0', 8, 'ipv4') // "this network": reaches the machine itself (RFC 1122)
refused.addSubnet('169.254.0.0', 16, 'ipv4') // link-local, with the clouds' metadata services (RFC 3927)
refused.addAddress('100.100.100.200', 'ipv4') // Alibaba Cloud's metadata service
refused.addAddress('192.0.0.192', 'ipv4') // Oracle Cloud's (classic) metadata service
refused.addAddress('168.63.129.16', 'ipv4') // Azure's wire server
refused.addSubnet('224.0.0.0', 4, 'ipv4') // multicast
refused.addSubnet('240.0.0.0', 4, 'ipv4') // reserved, and broadcast
refused.addAddress('::', 'ipv6')
refused.addSubnet('fe80::', 10, 'ipv6') // link-local
refused.addAddress('fd00:ec2::254', 'ipv6') // Amazon's metadata service
refused.addAddress('fd20:ce::254', 'ipv6') // Google's
refused.addSubnet('ff00::', 8, 'ipv6') // multicast

/** IPv6 prefixes that carry an IPv4 address in their last bytes, or (6to4) after the first two: RFC 4291, 6052, 8215, 3056. */
const carriers = [
  { list: subnet('::', 96), at: 12 },
  { list: subnet('::ffff:0:0', 96), at: 12 },
  { list: subnet('::ffff:0:0:0', 96), at: 12 },
  { list: subnet('64:ff9b::', 96), at: 12 },
  { list: subnet('64:ff9b:1::', 48), at: 12 },
  { list: subnet('2002::', 16), at: 2 },
] as const

/** Whether nothing may connect to this IP address, in whatever spelling. What is no IP address is refused. */
export function refusedAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  if (isIPv4(plain)) return refused.check(plain, 'ipv4')
  if (!isIPv6(plain)) return true
  if (plain !== '::1' && refused.check(plain, 'ipv6')) return true
  if (plain === '::1') return false
  const carrier = carriers.find(({ list }) => list.check(plain, 'ipv6'))
  if (carrier === undefined) return false
  const inside = [...bytesOf(plain).subarray(carrier.at, carrier.at + 4)].join('.')
  return inside !== '0.0.0.1' && refused.check(inside, 'ipv4')
}

function subnet(prefix: string, bits: number): BlockList {
  const list = new BlockList()
  list.addSubnet(prefix, bits, 'ipv6')
  return list
}

/** The 16 bytes of an IPv6 address. */
function bytesOf(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (a: string | undefined, b: string | undefined): string => ((Number(a) << 8) | Number(b)).toString(16)
  const text = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [head = '', tail] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
