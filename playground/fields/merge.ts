import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduce, fieldSchema, type ListAtom, type MapAtom } from './atom.ts'
import { listItemElement } from './list-item.ts'
import type { PathElement } from './path-element.ts'

type Side = Json | undefined

/** `applied` laid over `live`: its values win, keyed and set lists are joined in both orders, what it does not name stays. */
export function merge(live: JsonObject, applied: JsonObject, schema: Schema): JsonObject {
  const merged = mergeValue(live, applied, schema)
  return isObject(merged) ? merged : {}
}

function mergeValue(live: Side, applied: Side, schema: Schema | undefined): Side {
  if (schema === undefined) return applied ?? live
  const atom = deduce(atomOf(schema), applied === undefined ? live : applied)
  const branch = branchOf(atom)
  if (branch === 'map' && !(atom.map as MapAtom).atomic) {
    const left = isObject(live) ? live : undefined
    const right = isObject(applied) ? applied : undefined
    if (hasMembers(left) || hasMembers(right)) return mergeFields(left ?? {}, right ?? {}, atom.map as MapAtom)
  }
  if (branch === 'list' && (atom.list as ListAtom).keys !== 'atomic') {
    const left = Array.isArray(live) ? live : []
    const right = Array.isArray(applied) ? applied : []
    if (left.length > 0 || right.length > 0) return mergeItems(left, right, atom.list as ListAtom)
  }
  return applied === undefined ? live : applied
}

function mergeFields(live: JsonObject, applied: JsonObject, map: MapAtom): JsonObject {
  const merged: JsonObject = {}
  for (const name of new Set([...Object.keys(live), ...Object.keys(applied)])) {
    const left = Object.hasOwn(live, name) ? live[name] : undefined
    const right = Object.hasOwn(applied, name) ? applied[name] : undefined
    const value = mergeValue(left, right, fieldSchema(map, name))
    if (value !== undefined) Object.defineProperty(merged, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return merged
}

/**
 * Both orders are walked at once. Items of the applied list come in its order; a live item that is not applied keeps its place before
 * the next shared one; a shared live item that is not yet due is passed over, and comes when the applied order reaches it.
 * Source of the algorithm: structured-merge-diff `typed/merge.go`.
 */
function mergeItems(live: readonly Json[], applied: readonly Json[], list: ListAtom): Json[] {
  const left = index(live, list)
  const right = index(applied, list)
  const shared = right.order.filter((element) => left.items.has(element))
  const done = new Set<PathElement>()
  const out: Json[] = []
  const put = (was: Side, is: Side) => {
    const value = mergeValue(was, is, list.element)
    if (value !== undefined) out.push(value)
  }
  let next = 0
  let l = 0
  let r = 0
  while (l < left.order.length || r < right.order.length) {
    const was = left.order[l]
    const is = right.order[r]
    if (was !== undefined && is !== undefined) {
      if (was === is) {
        done.add(was)
        put(left.items.get(was), right.items.get(was))
        l++
        r++
        next++
        continue
      }
      const due = shared[next]
      if (right.items.has(was) && due !== undefined && due !== was) {
        l++
        continue
      }
    }
    if (was !== undefined) {
      if (!right.items.has(was)) {
        put(left.values[l], undefined)
        l++
        continue
      }
      if (done.has(was)) l++
    }
    if (is !== undefined) {
      done.add(is)
      put(left.items.get(is), right.items.get(is))
      r++
      if (shared[next] === is) next++
    }
  }
  return out
}

type Index = { readonly order: PathElement[]; readonly values: Json[]; readonly items: Map<PathElement, Json> }

/** Live duplicates cannot be merged with: they count as null. */
function index(items: readonly Json[], list: ListAtom): Index {
  const found: Index = { order: [], values: [], items: new Map() }
  for (const item of items) {
    const element = listItemElement(list, item)
    if (element instanceof Error) continue
    found.order.push(element)
    found.values.push(item)
    found.items.set(element, found.items.has(element) ? null : item)
  }
  return found
}

function hasMembers(value: JsonObject | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0
}
