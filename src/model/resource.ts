import type { JsonObject } from '#lib/json.ts'

/**
 * The name of an object within a target: `<group>/<kind>/<namespace>/<name>`, `core` for the group without a name, an empty namespace for
 * cluster-scoped kinds (`apps/Deployment/orders/orders-api`, `core/Namespace//orders`). The version is no part of it.
 */
export type ObjectKey = string

/** Where a desired object is written down. `line` is 1-based: that of the document's first line. */
export type Origin = { readonly repository: string; readonly file: string; readonly line: number }

/** One object that a module wants, as rendered. */
export type Desired = { readonly key: ObjectKey; readonly body: JsonObject; readonly origin: Origin }

export type ObjectName = { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string }

export function keyOf(name: ObjectName): ObjectKey {
  return `${name.group === '' ? 'core' : name.group}/${name.kind}/${name.namespace}/${name.name}`
}

export function parseKey(key: ObjectKey): ObjectName {
  const [group = '', kind = '', namespace = '', ...name] = key.split('/')
  return { group: group === 'core' ? '' : group, kind, namespace, name: name.join('/') }
}

/** As a person reads it: `Deployment orders/orders-api`. */
export function showKey(key: ObjectKey): string {
  const { kind, namespace, name } = parseKey(key)
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`
}
