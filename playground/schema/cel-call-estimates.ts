import { type Estimate, type Estimator, type Size, unknownSize } from './cel-estimate.ts'
import type { Kind } from './cel-shapes.ts'

const namespaces = new Set(['sets', 'lists', 'format', 'strings', 'ip', 'optional', 'math'])
export const isNamespace = (name: string): boolean => namespaces.has(name)

/** What a call costs beside its target and arguments, and what comes of it. */
type CallEstimate = Estimate
type Call = { readonly sizes: Estimator; readonly target: Estimate | undefined; readonly args: readonly Estimate[]; readonly size: (of: Estimate | undefined) => Size }

const traversal = (size: Size, times = 1): number => Math.ceil(size.most * 0.1 * times)
const result = (cost: number, kind: Kind, more: Partial<Estimate> = {}): CallEstimate => ({ cost, kind, ...more })

/** By the name of the function. Source: apiserver `pkg/cel/library/cost.go`, cel-go `checker/cost.go`, `ext/lists.go` and `ext/sets.go`. */
export function callEstimate(sizes: Estimator, name: string, target: Estimate | undefined, args: readonly Estimate[]): CallEstimate {
  const size = (of: Estimate | undefined): Size => (of === undefined ? unknownSize : (sizes.sizeOf(of) ?? unknownSize))
  const estimate = Object.hasOwn(byName, name) ? byName[name] : undefined
  return estimate?.({ sizes, target, args, size }) ?? result(1, Object.hasOwn(kinds, name) ? (kinds[name] as Kind) : name.startsWith('format.') ? 'format' : 'dyn')
}

const kinds: Readonly<Record<string, Kind>> = {
  size: 'int', int: 'int', uint: 'int', double: 'double', string: 'string', bool: 'bool', timestamp: 'timestamp', duration: 'duration', type: 'dyn', charAt: 'string',
  hasValue: 'bool', 'optional.of': 'optional', 'optional.none': 'optional', getScheme: 'string', getHost: 'string', getHostname: 'string', getPort: 'string', getEscapedPath: 'string', getQuery: 'map',
  family: 'int', prefixLength: 'int', asInteger: 'int', asApproximateFloat: 'double', sign: 'int', major: 'int', minor: 'int', patch: 'int', compareTo: 'int', isInteger: 'bool', isGreaterThan: 'bool',
  isLessThan: 'bool', isUnspecified: 'bool', isLoopback: 'bool', isLinkLocalMulticast: 'bool', isLinkLocalUnicast: 'bool', isGlobalUnicast: 'bool', add: 'fixed', sub: 'fixed', masked: 'fixed',
  getFullYear: 'int', getMonth: 'int', getDate: 'int', getDayOfMonth: 'int', getDayOfWeek: 'int', getDayOfYear: 'int', getHours: 'int', getMinutes: 'int', getSeconds: 'int', getMilliseconds: 'int', 'format.named': 'optional',
}

const same = ({ target, size }: Call): CallEstimate => result(traversal(size(target)), 'string', { size: size(target) })
const parsed = (kind: Kind) => ({ args, size }: Call): CallEstimate => result(traversal(size(args[0])), kind)
const searched = ({ target, args, size }: Call, kind: Kind): CallEstimate => {
  const text = size(target)
  return result(Math.ceil((text.most + 1) * 0.1) * Math.ceil(size(args[0]).most * 0.25), kind, kind === 'list' ? { item: 'string', size: { least: 0, most: text.most } } : { size: { least: 0, most: text.most } })
}
/** An operation over each item of a list. */
const overItems = (kind?: Kind) => ({ sizes, target, size }: Call): CallEstimate => {
  const texts = target?.item === 'string' || target?.item === 'bytes'
  const item = target?.kind === 'list' ? 1 + (texts ? traversal(sizes.itemSize(target)) : 0) : 0.1
  const most = size(target).most
  return result(target?.kind === 'list' ? (most === 0 ? 0 : most * item) : Math.ceil(most * item), kind ?? target?.item ?? 'dyn')
}
const made = ({ target }: Call, factor: number, of: Size, item = target?.item): CallEstimate => result(Math.ceil(of.most * factor) + 11, 'list', { size: of, ...(item === undefined ? {} : { item }) })
const squared = (size: Size): Size => ({ least: size.least ** 2, most: size.most ** 2 })
const ofSets = (factor: number) => ({ args, size }: Call): CallEstimate => result(times(size(args[0]).most, size(args[1]).most) * factor + 1, 'bool')
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

const byName: Readonly<Record<string, (call: Call) => CallEstimate>> = {
  startsWith: ({ args, size }) => result(traversal(size(args[0])), 'bool'),
  endsWith: ({ args, size }) => result(traversal(size(args[0])), 'bool'),
  contains: ({ target, args, size }) => result(times(traversal(size(target)), traversal(size(args[0]))), 'bool'),
  matches: (call) => ({ ...searched(call, 'bool'), size: { least: 1, most: 1 } }),
  find: (call) => searched(call, 'string'),
  findAll: (call) => searched(call, 'list'),
  bytes: ({ args, size }) => result(traversal(size(args[0])), 'bytes', { size: { least: size(args[0]).least, most: size(args[0]).most * 4 } }),
  string: ({ args, size }) => (args[0]?.kind === 'bytes' || args[0]?.kind === 'dyn' ? result(traversal(size(args[0])), 'string', { size: size(args[0]) }) : result(1, 'string')),
  'strings.quote': ({ args, size }) => result(traversal(size(args[0])), 'string', { size: { least: size(args[0]).least + 2, most: size(args[0]).most * 2 + 2 } }),
  format: ({ target, size }) => result(traversal(size(target)), 'string'),
  lowerAscii: same,
  upperAscii: same,
  substring: same,
  trim: same,
  replace: replaced,
  split: ({ target, args, size }) => result(traversal(size(target), 2), 'list', { item: 'string', size: { least: 0, most: args[1]?.literal ?? size(target).most } }),
  join: joined,
  isSorted: overItems('bool'),
  sum: overItems(),
  min: overItems(),
  max: overItems(),
  indexOf: overItems('int'),
  lastIndexOf: overItems('int'),
  reverse: (call) => made(call, 1, call.size(call.target)),
  distinct: (call) => made(call, 2, squared(call.size(call.target))),
  sort: (call) => made(call, call.target?.item === 'string' || call.target?.item === 'bytes' ? 2.1 : 2, squared(call.size(call.target))),
  flatten: (call) => made(call, call.args.length === 0 ? 1 : (call.args[0]?.literal ?? Infinity), call.size(call.target), 'dyn'),
  slice: (call) => {
    const length = (call.args[1]?.literal ?? call.size(call.target).most) - (call.args[0]?.literal ?? 0)
    return made(call, 1, { least: length, most: length })
  },
  'lists.range': (call) => {
    const length = call.args[0]?.literal ?? Infinity
    return made(call, 1, { least: length, most: length }, 'int')
  },
  'sets.contains': ofSets(1),
  'sets.intersects': ofSets(1),
  'sets.equivalent': ofSets(2),
  url: ({ args, size }) => result(traversal(size(args[0])), 'url', { size: size(args[0]) }),
  ip: ({ target, args, size }) => result(target === undefined ? traversal(size(args[0])) : 1, 'fixed'),
  cidr: parsed('fixed'),
  isIP: parsed('bool'),
  isCIDR: parsed('bool'),
  'ip.isCanonical': ({ args, size }) => result(traversal(size(args[0]), 2), 'bool'),
  containsIP: ({ args, size }) => result(4 + (args[0]?.kind === 'string' ? traversal(size(args[0])) : 0), 'bool'),
  containsCIDR: ({ args, size }) => result(7 + (args[0]?.kind === 'string' ? traversal(size(args[0])) : 0), 'bool'),
  quantity: parsed('fixed'),
  isQuantity: parsed('bool'),
  semver: parsed('fixed'),
  isSemver: parsed('bool'),
  validate: ({ args, size }) => result(traversal(size(args[0])) * 32, 'optional'),
  value: () => result(1, 'dyn', { size: { least: 1, most: 1 } }),
}

/** With nothing to be replaced, what replaces it surrounds each character. */
function replaced({ target, args, size }: Call): CallEstimate {
  const [whole, from, to] = [size(target), size(args[0]), size(args[1])]
  const cost = traversal(whole, 2)
  if (from.least === 0) return result(cost, 'string', { size: { least: 0, most: times(whole.most + 1, to.most) + whole.most } })
  const most = to.most <= from.least ? whole.most : times(Math.ceil(whole.most / from.least), to.most)
  return result(cost, 'string', { size: { least: 0, most } })
}

function joined({ sizes, target, args, size }: Call): CallEstimate {
  if (target === undefined) return result(1, 'string')
  const items = size(target).most
  const separators = args[0] === undefined ? 0 : times(size(args[0]).most, Math.max(items - 1, 0))
  const most = times(items, sizes.itemSize(target).most) + separators
  return result(Math.ceil(most * 0.1), 'string', { size: { least: 0, most } })
}
