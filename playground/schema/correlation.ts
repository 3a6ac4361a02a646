import { canonicalJson, isObject, type Json } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'

/** The old values of a list's items: known for keyed lists, by their keys; the items of other lists cannot be told apart. */
export function oldItems(schema: Schema, items: readonly Json[], old: Json | undefined): (Json | undefined)[] {
  const keys = schema['x-kubernetes-list-map-keys']
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys === undefined) return items.map(() => undefined)
  const byKey = new Map(old.map((item) => [keyOf(item, keys), item]))
  return items.map((item) => byKey.get(keyOf(item, keys)))
}

export function oldField(old: Json | undefined, name: string): Json | undefined {
  return isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
}

function keyOf(item: Json, keys: readonly string[]): string {
  return canonicalJson(keys.map((key) => (isObject(item) ? (item[key] ?? null) : null)))
}
