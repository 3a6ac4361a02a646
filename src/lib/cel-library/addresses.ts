import type { Environment } from '@marcbachmann/cel-js'
import { addNamespace } from './namespace.ts'
import { wrong } from './wrong.ts'

/** An IPv4 or IPv6 address, as Kubernetes' library `ip` takes it: none with a zone, none that is mapped, no leading zeros. Source: Go's `net/netip`. */
export class Address {
  readonly bits: 32 | 128
  readonly value: bigint

  constructor(bits: 32 | 128, value: bigint) {
    this.bits = bits
    this.value = value
  }

  /** Throws what is wrong with the text, in the words of the real server. */
  static read(text: string): Address {
    const quoted = JSON.stringify(text)
    const unread = (why: string): never => wrong(`IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): ${why}`)
    const [address = ''] = text.split('%')
    if (!text.includes(':')) return new Address(32, readFour(text) ?? unread(/^[\d.]+$/.test(text) && text.includes('.') ? whyNotFour(text) : 'unable to parse IP'))
    const value = readSix(address) ?? unread('unable to parse IP')
    if (text.includes('%')) return text.endsWith('%') ? unread('zone must be a non-empty string') : wrong(`IP address ${quoted} with zone value is not allowed`)
    if (isMapped(value)) return wrong(`IPv4-mapped IPv6 address ${quoted} is not allowed`)
    return new Address(128, value)
  }

  /** The first octets, or the first of the eight parts, as a number. */
  top(bits: number): bigint {
    return this.value >> BigInt(this.bits - bits)
  }

  equals(other: unknown): boolean {
    return other instanceof Address && other.bits === this.bits && other.value === this.value
  }

  toString(): string {
    if (this.bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (this.value >> shift) & 255n).join('.')
    const parts = Array.from({ length: 8 }, (_, index) => ((this.value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
    // The first of the longest runs of two zeros or more is left out (RFC 5952).
    const runs = parts.map((_, start) => parts.slice(start).findIndex((part) => part !== '0')).map((length, start) => (length < 0 ? 8 - start : length))
    const longest = Math.max(...runs)
    if (longest < 2) return parts.join(':')
    const start = runs.indexOf(longest)
    return `${parts.slice(0, start).join(':')}::${parts.slice(start + longest).join(':')}`
  }
}

/** An address with the length of its prefix. */
class Network {
  readonly address: Address
  readonly length: number

  constructor(address: Address, length: number) {
    this.address = address
    this.length = length
  }

  static read(text: string): Network {
    const unread = (why: string): never => wrong(`network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${why}`)
    const slash = text.lastIndexOf('/')
    if (slash < 0) return unread("no '/'")
    const address = Address.read(text.slice(0, slash))
    const length = /^(?:0|[1-9]\d*)$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : unread('bad bits after slash')
    return length > address.bits ? unread('prefix length out of range') : new Network(address, length)
  }

  has(address: Address): boolean {
    return address.bits === this.address.bits && address.top(this.length) === this.address.top(this.length)
  }

  masked(): Network {
    const rest = BigInt(this.address.bits - this.length)
    return new Network(new Address(this.address.bits, (this.address.value >> rest) << rest), this.length)
  }

  equals(other: unknown): boolean {
    return other instanceof Network && other.length === this.length && this.address.equals(other.address)
  }

  toString(): string {
    return `${this.address.toString()}/${this.length}`
  }
}

function readFour(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function whyNotFour(text: string): string {
  const parts = text.split('.')
  if (parts.some((part) => part === '')) return 'IPv4 field must have at least one digit'
  if (parts.some((part) => /^0\d/.test(part))) return 'IPv4 field has octet with leading zero'
  return parts.some((part) => Number(part) > 255) ? 'IPv4 field has value >255' : parts.length < 4 ? 'IPv4 address too short' : 'IPv4 address too long'
}

function readSix(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [left, right] = halves.map((half, index) => partsOf(half, index === halves.length - 1))
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined
  const missing = 8 - left.length - (right?.length ?? 0)
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  return [...left, ...Array<bigint>(missing).fill(0n), ...(right ?? [])].reduce((value, part) => (value << 16n) | part, 0n)
}

/** Four hexadecimal digits a part; the last two may be an IPv4 address. */
function partsOf(text: string, mayEndInFour: boolean): bigint[] | undefined {
  if (text === '') return []
  const parts: bigint[] = []
  for (const [index, part] of text.split(':').entries()) {
    const four = mayEndInFour && index === text.split(':').length - 1 ? readFour(part) : undefined
    if (four !== undefined) parts.push(four >> 16n, four & 0xffffn)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) parts.push(BigInt(`0x${part}`))
    else return undefined
  }
  return parts
}

const isMapped = (value: bigint): boolean => value >> 32n === 0xffffn

const isLoopback = (ip: Address): boolean => (ip.bits === 32 ? ip.top(8) === 127n : ip.value === 1n)
const isMulticast = (ip: Address): boolean => (ip.bits === 32 ? ip.top(4) === 0xen : ip.top(8) === 0xffn)
const isLinkLocalUnicast = (ip: Address): boolean => (ip.bits === 32 ? ip.top(16) === 0xa9fen : ip.top(10) === 0x3fan)
const isLinkLocalMulticast = (ip: Address): boolean => (ip.bits === 32 ? ip.top(24) === 0xe00000n : ip.top(16) >> 8n === 0xffn && (ip.top(16) & 0xfn) === 2n)
const isGlobalUnicast = (ip: Address): boolean => ip.value !== 0n && !(ip.bits === 32 && ip.value === 0xffff_ffffn) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip)

/** Kubernetes' libraries `ip` and `cidr`. Source: the documentation of apiserver's `pkg/cel/library/ip.go` and `cidr.go`. */
export function addAddresses(environment: Environment): Environment {
  const [ip, cidr, namespace] = ['net.IP', 'net.CIDR', addNamespace(environment, 'ip')]
  const contains = (outer: Network, inner: Network): boolean => outer.length <= inner.length && outer.has(inner.address)
  environment.registerType(ip, Address).registerType(cidr, Network)
  environment
    .registerFunction(`ip(string): ${ip}`, (text: string) => Address.read(text))
    .registerFunction('isIP(string): bool', (text: string) => canBeRead(() => Address.read(text)))
    .registerFunction(`${namespace}.isCanonical(string): bool`, (_: unknown, text: string) => Address.read(text).toString() === text)
    .registerFunction(`${ip}.family(): int`, (address: Address) => (address.bits === 32 ? 4n : 6n))
    .registerFunction(`${ip}.isUnspecified(): bool`, (address: Address) => address.value === 0n)
    .registerFunction(`${ip}.isLoopback(): bool`, isLoopback)
    .registerFunction(`${ip}.isLinkLocalMulticast(): bool`, isLinkLocalMulticast)
    .registerFunction(`${ip}.isLinkLocalUnicast(): bool`, isLinkLocalUnicast)
    .registerFunction(`${ip}.isGlobalUnicast(): bool`, isGlobalUnicast)
    .registerFunction(`string(${ip}): string`, String)
    .registerFunction(`cidr(string): ${cidr}`, (text: string) => Network.read(text))
    .registerFunction('isCIDR(string): bool', (text: string) => canBeRead(() => Network.read(text)))
    .registerFunction(`${cidr}.containsIP(string): bool`, (network: Network, text: string) => network.has(Address.read(text)))
    .registerFunction(`${cidr}.containsIP(${ip}): bool`, (network: Network, address: Address) => network.has(address))
    .registerFunction(`${cidr}.containsCIDR(string): bool`, (network: Network, text: string) => contains(network, Network.read(text)))
    .registerFunction(`${cidr}.containsCIDR(${cidr}): bool`, contains)
    .registerFunction(`${cidr}.ip(): ${ip}`, (network: Network) => network.address)
    .registerFunction(`${cidr}.prefixLength(): int`, (network: Network) => BigInt(network.length))
    .registerFunction(`${cidr}.masked(): ${cidr}`, (network: Network) => network.masked())
    .registerFunction(`string(${cidr}): string`, String)
    .registerOperator(`${ip} == ${ip}`, (a: Address, b: Address) => a.equals(b))
    .registerOperator(`${cidr} == ${cidr}`, (a: Network, b: Network) => a.equals(b))
  return environment
}

/** Whether reading does not throw. */
export function canBeRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
