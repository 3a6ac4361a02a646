import type { Environment } from '@marcbachmann/cel-js'
import { canBeRead } from './addresses.ts'
import { wrong } from './wrong.ts'

const largest = (1n << 64n) - 1n

/** A version as semver.org has it; what follows `+` has no part in comparisons. Errors in the words of `blang/semver`. */
class Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly before: readonly string[]
  readonly #text: string

  constructor(numbers: readonly [bigint, bigint, bigint], before: readonly string[], text: string) {
    this.numbers = numbers
    this.before = before
    this.#text = text
  }

  static read(text: string): Version {
    if (text === '') return wrong('Version string empty')
    const [major, minor, ...rest] = splitAt(text, '.', 3)
    const [last] = rest
    if (major === undefined || minor === undefined || last === undefined) return wrong('No Major.Minor.Patch elements found')
    const [, patch = '', before, build] = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(last) ?? []
    const numbers = [numberOf(major, 'major'), numberOf(minor, 'minor'), numberOf(patch, 'patch')] as const
    const parts = before?.split('.') ?? []
    for (const part of parts) checkBefore(part)
    for (const part of build?.split('.') ?? []) {
      if (part === '') return wrong('Build meta data is empty')
      if (!/^[0-9A-Za-z-]*$/.test(part)) return wrong(`Invalid character(s) found in build meta data ${JSON.stringify(part)}`)
    }
    return new Version(numbers, parts, text)
  }

  /** Without a leading `v` and leading zeros, and with the numbers that are missing. */
  static readLoosely(text: string): Version {
    const parts = splitAt(text.replace(/^v/, ''), '.', 3).map((part) => (part.length > 1 ? part.replace(/^0+/, '').replace(/^(?!\d)/, '0') : part))
    if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) return wrong('short version cannot contain PreRelease/Build meta data')
    return Version.read([...parts, '0', '0'].slice(0, 3).join('.'))
  }

  /** -1, 0 or 1. */
  compare(other: Version): bigint {
    for (const [index, number] of this.numbers.entries()) {
      const theirs = other.numbers[index] ?? 0n
      if (number !== theirs) return number < theirs ? -1n : 1n
    }
    if (this.before.length === 0 || other.before.length === 0) return BigInt(Math.sign(other.before.length - this.before.length))
    for (const [index, part] of this.before.entries()) {
      const theirs = other.before[index]
      if (theirs === undefined) return 1n
      const order = compareParts(part, theirs)
      if (order !== 0n) return order
    }
    return this.before.length < other.before.length ? -1n : 0n
  }

  equals(other: unknown): boolean {
    return other instanceof Version && this.compare(other) === 0n
  }

  toString(): string {
    return this.#text
  }
}

function splitAt(text: string, separator: string, most: number): string[] {
  const parts = text.split(separator)
  return parts.length <= most ? parts : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)]
}

function numberOf(text: string, name: string): bigint {
  if (!/^\d*$/.test(text)) return wrong(`Invalid character(s) found in ${name} number ${JSON.stringify(text)}`)
  if (/^0\d/.test(text)) return wrong(`${name === 'patch' ? 'Patch' : name === 'minor' ? 'Minor' : 'Major'} number must not contain leading zeroes ${JSON.stringify(text)}`)
  if (text === '' || BigInt(text) > largest) return wrong(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${text === '' ? 'invalid syntax' : 'value out of range'}`)
  return BigInt(text)
}

function checkBefore(part: string): void {
  if (part === '') wrong('Prerelease is empty')
  if (/^0\d+$/.test(part)) wrong(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(part)}`)
  if (!/^[0-9A-Za-z-]+$/.test(part)) wrong(`Invalid character(s) found in prerelease ${JSON.stringify(part)}`)
}

/** Numbers come before words. */
function compareParts(a: string, b: string): bigint {
  const [ours, theirs] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (ours !== theirs) return ours ? -1n : 1n
  const [left, right] = ours ? [BigInt(a), BigInt(b)] : [a, b]
  return left === right ? 0n : left < right ? -1n : 1n
}

/** Kubernetes' library `semver`. Source: the documentation of apiserver's `pkg/cel/library/semverlib.go`. */
export function addVersions(environment: Environment): Environment {
  const semver = 'kubernetes.Semver'
  const read = (text: string, loosely = false): Version => (loosely ? Version.readLoosely(text) : Version.read(text))
  environment.registerType(semver, Version)
  for (const [index, part] of ['major', 'minor', 'patch'].entries()) environment.registerFunction(`${semver}.${part}(): int`, (version: Version) => version.numbers[index])
  return environment
    .registerFunction(`semver(string): ${semver}`, (text: string) => read(text))
    .registerFunction(`semver(string, bool): ${semver}`, read)
    .registerFunction('isSemver(string): bool', (text: string) => canBeRead(() => read(text)))
    .registerFunction('isSemver(string, bool): bool', (text: string, loosely: boolean) => canBeRead(() => read(text, loosely)))
    .registerFunction(`${semver}.compareTo(${semver}): int`, (a: Version, b: Version) => a.compare(b))
    .registerFunction(`${semver}.isLessThan(${semver}): bool`, (a: Version, b: Version) => a.compare(b) < 0n)
    .registerFunction(`${semver}.isGreaterThan(${semver}): bool`, (a: Version, b: Version) => a.compare(b) > 0n)
    .registerOperator(`${semver} == ${semver}`, (a: Version, b: Version) => a.equals(b))
}
