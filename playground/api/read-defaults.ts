import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { withDefaults } from '#playground/schema/structural-defaults.ts'
import type { Kind } from './kinds.ts'

const defaulting = new WeakMap<Schema, boolean>()

/** Whether a schema gives anything a default: most do not, and cost nothing. */
function hasDefaults(schema: Schema): boolean {
  let answer = defaulting.get(schema)
  if (answer === undefined) {
    const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties].filter((each) => typeof each === 'object')
    answer = schema.default !== undefined || below.some(hasDefaults)
    defaulting.set(schema, answer)
  }
  return answer
}

const read = new WeakMap<Schema, WeakMap<KubernetesObject, KubernetesObject>>()

/**
 * A stored custom resource as it is read: with the defaults of the schema of now, which may not have been there when it was written. The same value
 * where nothing is missing. Objects in the store do not change, so each is looked at once for a schema.
 */
export function withReadDefaults(object: KubernetesObject, kind: Kind): KubernetesObject {
  const given = kind.given ?? kind.schema
  if (!hasDefaults(given)) return object
  let known = read.get(kind.schema)
  if (known === undefined) read.set(kind.schema, (known = new WeakMap()))
  let whole = known.get(object)
  if (whole === undefined) {
    whole = withDefaults(object, kind.schema)
    known.set(object, whole)
  }
  return whole
}
