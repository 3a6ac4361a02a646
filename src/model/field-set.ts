import { Failure } from '#lib/failure.ts'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { ancestorsOf, formatPath, keysOf, type Segment } from './field-path.ts'
import { patternOf, type ListKeys } from './list-keys.ts'
import type { FieldPath, Observation, Owner } from './plan.ts'

/**
 * The leaves of a `fieldsV1` set, sorted: every field, set member or item below which nothing else is owned. An item with fields of its own is known by
 * those. Format: `structured-merge-diff`, `fieldpath/serialize-pe.go` (`f:` a field, `k:` an item by its keys, `v:` a set's member, `i:` an index,
 * `.` the thing itself). Throws `managed-fields-invalid`.
 */
export function fieldSetOf(fieldsV1: JsonObject): FieldPath[] {
  const paths: FieldPath[] = []
  const walk = (node: Json, segments: readonly Segment[]): void => {
    if (!isObject(node) || segments.length > 200) throw invalidSet(segments)
    const members = Object.entries(node).filter(([name]) => name !== '.')
    if (members.length === 0 && segments.length > 0) paths.push(formatPath(segments))
    for (const [name, below] of members) walk(below, [...segments, elementOf(name, segments)])
  }
  walk(fieldsV1, [])
  return paths.sort()
}

/** Fields of `metadata` that no manager owns, beside `apiVersion`, `kind` and `status` (which a main resource's apply does not touch). */
const unownedMetadata = new Set(['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink', 'managedFields'])
const unowned = new Set(['apiVersion', 'kind', 'status'])

/**
 * The leaves that an apply of this body would own, sorted: scalars, nulls, empty maps, atomic maps and lists, members of sets, and the fields of keyed
 * items (their keys too). An empty list that is not atomic is owned by nobody.
 */
export function declaredPaths(body: JsonObject, listKeys: ListKeys): FieldPath[] {
  const paths: FieldPath[] = []
  const map = (value: JsonObject, segments: readonly Segment[], skip: ReadonlySet<string>): void => {
    for (const [name, member] of Object.entries(value)) if (!skip.has(name)) walk(member, [...segments, { field: name }])
  }
  const walk = (value: Json, segments: readonly Segment[]): void => {
    const pattern = patternOf(segments)
    if (pattern === 'metadata' && isObject(value)) map(value, segments, unownedMetadata)
    else if (isObject(value) && Object.keys(value).length > 0 && !listKeys.atomicMap(pattern)) map(value, segments, none)
    else if (!Array.isArray(value)) paths.push(formatPath(segments))
    else {
      const items = itemsOf(value, listKeys.list(pattern))
      if (items === 'atomic') paths.push(formatPath(segments))
      else for (const [segment, item] of items) walk(item, [...segments, segment])
    }
  }
  map(body, [], unowned)
  return paths.sort()
}
const none: ReadonlySet<string> = new Set()

/** A list's items with their segments; `atomic` also where the items cannot be told apart (a server would refuse those). */
function itemsOf(list: readonly Json[], shape: ReturnType<ListKeys['list']>): 'atomic' | [Segment, Json][] {
  if (shape === 'atomic') return 'atomic'
  const items: [Segment, Json][] = []
  const seen = new Set<string>()
  for (const item of list) {
    const keys = shape === 'set' ? undefined : keysOf(item, shape)
    const segment: Segment | undefined = shape === 'set' ? (typeof item === 'object' ? undefined : { value: item }) : keys === undefined ? undefined : { keys }
    if (segment === undefined || seen.has(formatPath([segment]))) return 'atomic'
    seen.add(formatPath([segment]))
    items.push([segment, item])
  }
  return items
}

/** What `sealed.owners` and plans call an owner: `argocd-controller` for an Apply, `kubectl-edit/Update`, `kubectl/Update/scale`. */
export function ownerName(owner: Pick<Owner, 'manager' | 'operation' | 'subresource'>): string {
  const tail = owner.subresource === '' ? '' : `/${owner.subresource}`
  return owner.operation === 'Apply' && tail === '' ? owner.manager : `${owner.manager}/${owner.operation}${tail}`
}

/** Who owns what of a live object. */
export type Ownership = {
  /** The owners of a path: of itself, of an atomic map or list that it lies in, or of something below it. In the object's order, each once. */
  of(path: FieldPath): readonly Owner[]
  /** Whether anybody owns something strictly below the path. */
  below(path: FieldPath): boolean
}

export function ownershipOf(observation: Pick<Extract<Observation, { state: 'present' }>, 'owners'>): Ownership {
  const at = new Map<FieldPath, Set<Owner>>()
  const beneath = new Map<FieldPath, Set<Owner>>()
  for (const owner of observation.owners) {
    for (const path of owner.paths) {
      add(at, path, owner)
      for (const ancestor of ancestorsOf(path)) add(beneath, ancestor, owner)
    }
  }
  return {
    of: (path) => {
      // An ancestor below which somebody owns something is no atomic: who owns it as a leaf declared an empty map.
      const above = ancestorsOf(path).filter((ancestor) => !beneath.has(ancestor))
      const owners = new Set([path, ...above].flatMap((place) => [...(at.get(place) ?? [])]).concat([...(beneath.get(path) ?? [])]))
      return observation.owners.filter((owner) => owners.has(owner))
    },
    below: (path) => beneath.has(path),
  }
}

function add(map: Map<FieldPath, Set<Owner>>, path: FieldPath, owner: Owner): void {
  const owners = map.get(path)
  if (owners === undefined) map.set(path, new Set([owner]))
  else owners.add(owner)
}

function elementOf(name: string, segments: readonly Segment[]): Segment {
  const rest = name.slice(2)
  if (name.startsWith('f:')) return { field: rest }
  try {
    const value = JSON.parse(rest) as Json
    if (name.startsWith('k:') && isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(isScalar)) return { keys: value }
    if (name.startsWith('v:') && isScalar(value)) return { value }
    if (name.startsWith('i:') && Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 1e9) return { index: value as number }
  } catch {
    // told below
  }
  throw invalidSet(segments)
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object'
}

function invalidSet(segments: readonly Segment[]): Failure {
  return new Failure({
    code: 'managed-fields-invalid',
    subject: formatPath(segments.slice(0, 20)) || 'fieldsV1',
    message: 'an entry of managedFields is not in the format FieldsV1',
    hint: 'Who owns the fields of this object cannot be told. A manager that writes the object again may mend it.',
  })
}
