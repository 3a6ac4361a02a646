/** Characters, items or entries; 1 for what has no size. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return [...value].length
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length
  if (value instanceof Map || value instanceof Set) return value.size
  if (typeof value !== 'object' || value === null) return 1
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.keys(value).length : 1
}

type Cost = (args: readonly unknown[], result: unknown) => number

const traversal = (times = 1): Cost => ([first]) => Math.ceil(sizeOf(first) * 0.1 * times)
const one: Cost = () => 1
const expression: Cost = ([text, pattern]) => Math.ceil((1 + sizeOf(text)) * 0.1) * Math.ceil(sizeOf(pattern) * 0.25)
const overItems: Cost = ([first]) => whole(first)
const made = (most: number): number => most + 11
const allocated: Cost = (_, result) => made(sizeOf(result))
const compared: Cost = ([list]) => made(Math.floor((Array.isArray(list) && (typeof list[0] === 'string' || list[0] instanceof Uint8Array) ? 2.1 : 2) * sizeOf(list) ** 2))
const ofSets = (factor: number): Cost => ([a, b]) => 1 + sizeOf(a) * sizeOf(b) * factor
const contains = (extra: (bytes: number) => number): Cost => ([network, other]) => {
  const bytes = Math.ceil((network as { length: number }).length / 8)
  return Math.ceil(2 * bytes * 0.1) + extra(bytes) + (typeof other === 'string' ? Math.ceil(sizeOf(other) * 0.1) : 0)
}

/** What it costs to see all of a value. */
function whole(value: unknown): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * 0.1)
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + whole(item), 0)
  return 1
}

const formats = 'dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix dns1035LabelPrefix labelValue uri uuid byte date datetime named'

/**
 * What calls of functions beyond the language cost, by their names; a member's first argument is what it is called on. Source: apiserver `pkg/cel/library/cost.go`,
 * cel-go `ext/lists.go` and `ext/sets.go`.
 */
export const callCosts: Readonly<Record<string, Cost>> = {
  ...Object.fromEntries(formats.split(' ').map((name) => [`format.${name}`, one])),
  isSorted: overItems,
  sum: overItems,
  min: overItems,
  max: overItems,
  indexOf: overItems,
  lastIndexOf: overItems,
  url: traversal(),
  lowerAscii: traversal(),
  upperAscii: traversal(),
  substring: traversal(),
  trim: traversal(),
  replace: traversal(2),
  split: traversal(2),
  join: (_, result) => Math.ceil(sizeOf(result) * 0.2),
  find: expression,
  findAll: expression,
  cidr: traversal(),
  isIP: traversal(),
  isCIDR: traversal(),
  ip: ([of]) => (typeof of === 'string' ? Math.ceil(sizeOf(of) * 0.1) : 1),
  'ip.isCanonical': traversal(2),
  containsIP: contains(() => 0),
  containsCIDR: contains((bytes) => Math.ceil(bytes * 0.1) + 1),
  quantity: traversal(),
  isQuantity: traversal(),
  semver: traversal(),
  isSemver: traversal(),
  validate: ([format, text]) => Math.ceil((1 + sizeOf(text)) * 0.1) * Math.ceil((format as { patternLength: number }).patternLength * 0.25),
  format: traversal(),
  'strings.quote': traversal(),
  'lists.range': allocated,
  slice: allocated,
  reverse: allocated,
  flatten: ([list, depth]) => made(sizeOf(list) * (depth === undefined ? 1 : Number(depth))),
  distinct: compared,
  sort: compared,
  'sets.contains': ofSets(1),
  'sets.intersects': ofSets(1),
  'sets.equivalent': ofSets(2),
}
