import { isObject, type JsonObject } from '#lib/json.ts'
import { formatPath, parsePath, removePaths } from '#model/field-path.ts'
import type { Effect, FieldPath } from '#model/plan.ts'
import { parseKey, type Desired } from '#model/resource.ts'
import { moduleLabel } from '#model/module-label.ts'
import { isSecretBody, withDigests, withoutStringData } from './secret-values.ts'

/** A desired object as it is declared, which is what a plan compares: with the module's label, and with digests for a Secret's values. */
export function declare(secretDigest: (value: string) => string, module: string, desired: Desired): Desired {
  return { ...desired, body: withDigests(whole(desired, module), secretDigest) }
}

/** What an effect sends: what is declared, with a Secret's true values, and without what is left out. */
export function bodyOf(effect: Effect, desired: Desired): JsonObject {
  const body = whole(desired, effect.module)
  return removePaths(body, effect.omit.map((path) => valuePath(body, path)))
}

/** Under its key's name, with the module's label. What only the server writes (a status, a version) is not ours to declare. */
function whole({ key, body: rendered }: Desired, module: string): JsonObject {
  const { status: _, ...body } = withoutStringData(rendered)
  const { namespace, name } = parseKey(key)
  const { managedFields: _fields, resourceVersion: _version, uid: _uid, ...metadata } = isObject(body['metadata']) ? body['metadata'] : {}
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {}
  return { ...body, metadata: { ...metadata, name, ...(namespace === '' ? {} : { namespace }), labels: { ...labels, [moduleLabel]: module } } }
}

/** A plan knows a Secret's value as `data.url.digest`; what is declared and left out is `data.url`. */
export function valuePath(body: JsonObject, path: FieldPath): FieldPath {
  if (!isSecretBody(body)) return path
  const segments = parsePath(path)
  const [top, , last] = segments
  const isDigest = segments.length === 3 && top !== undefined && 'field' in top && top.field === 'data' && last !== undefined && 'field' in last && last.field === 'digest'
  return isDigest ? formatPath(segments.slice(0, 2)) : path
}
