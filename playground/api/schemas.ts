import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'
import { decodedBuiltin } from '#playground/schema/builtin-decoding.ts'
import { withBuiltinDefaults } from '#playground/schema/builtin-defaults.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
import { validateBuiltin } from '#playground/schema/builtin-validation.ts'
import { fromProtobufStorage } from '#playground/schema/go-values.ts'
import { normalMetadata } from '#playground/schema/metadata.ts'
import { prune } from '#playground/schema/pruning.ts'
import { withDefaults, withoutNulls } from '#playground/schema/structural-defaults.ts'
import { validateCustomResource } from '#playground/schema/validation.ts'
import { apiVersionOf, type Kind } from './kinds.ts'
import { type ApiError, badRequest } from './status.ts'

export type Decoded = {
  readonly object: KubernetesObject
  /** Paths that the schema does not declare; what stood there is gone. */
  readonly unknown: readonly string[]
}

/** The object as the server holds it: what is unknown pruned, defaults filled in. A new value. `asIs` leaves a custom resource's nulls to validation. */
export function decoded(kind: Kind, object: KubernetesObject, nulls: 'dropped' | 'asIs' = 'dropped'): Decoded {
  if (!kind.custom) {
    const builtin = decodedBuiltin(object)
    if ('problem' in builtin) throw cannotBeHandled(kind, builtin.problem)
    return { object: withBuiltinDefaults(builtin.object), unknown: builtin.unknown }
  }
  const pruned = prune(object, kind.schema)
  const normal = normalMetadata(pruned.object)
  if ('problem' in normal) throw cannotBeHandled(kind, normal.problem)
  const whole = nulls === 'dropped' ? withoutNulls(normal.object, kind.schema) : normal.object
  return { object: withDefaults(whole, kind.schema), unknown: pruned.unknown }
}

/** The object as it is read after it was stored. */
export function asStored(kind: Kind, object: KubernetesObject): KubernetesObject {
  return kind.custom ? object : fromProtobufStorage(object, kind.schema)
}

/** A built-in kind and metadata are read into types of their own: what does not fit is no object at all. */
function cannotBeHandled(kind: Kind, problem: string): ApiError {
  return badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${problem}`)
}

/** What does not hold. With `live`, what was already so is let pass, and transition rules are checked. */
export function schemaCauses(kind: Kind, object: KubernetesObject, live: KubernetesObject | undefined): Cause[] {
  if (!kind.custom) return validateBuiltin(object, live, kind.namespaced)
  const replicas = kind.scale?.specReplicas.split('.').filter((name) => name !== '')
  return validateCustomResource(object, live, {
    schema: kind.given ?? kind.schema,
    namespaced: kind.namespaced,
    ...(replicas === undefined ? {} : { replicas }),
  })
}

/** The schema of a built-in kind. */
export function builtInSchema(group: string, version: string, kind: string): Schema | undefined {
  return builtinSchemas.schemaOf(apiVersionOf({ group, version }), kind)
}
