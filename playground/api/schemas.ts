import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
import { metadataErrors, type NameRule } from '#playground/schema/metadata-errors.ts'
import { decodeProblem, normalMetadata } from '#playground/schema/metadata.ts'
import { labelNameProblems, pathSegmentProblems, serviceNameProblems, subdomainProblems } from '#playground/schema/names.ts'
import { openApiErrors } from '#playground/schema/openapi-errors.ts'
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

/** The object as the server holds it: what is unknown pruned, defaults filled in. A new value. `asIs` leaves nulls to be found by validation. */
export function decoded(kind: Kind, object: KubernetesObject, nulls: 'dropped' | 'asIs' = 'dropped'): Decoded {
  const pruned = prune(object, kind.schema)
  const normal = normalMetadata(pruned.object)
  if ('problem' in normal) throw cannotBeHandled(kind, normal.problem)
  const problem = kind.custom ? undefined : decodeProblem(normal.object, kind.schema, [], kind.kind, (schema) => builtinSchemas.typeName(schema))
  if (problem !== undefined) throw cannotBeHandled(kind, problem)
  const whole = nulls === 'dropped' ? withoutNulls(normal.object, kind.schema) : normal.object
  return { object: withDefaults(whole, kind.schema), unknown: pruned.unknown }
}

/** A built-in kind and metadata are read into types of their own: what does not fit is no object at all. */
function cannotBeHandled(kind: Kind, problem: string): ApiError {
  return badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${problem}`)
}

/** What does not hold. With `live`, what was already so is let pass, and transition rules are checked. */
export function schemaCauses(kind: Kind, object: KubernetesObject, live: KubernetesObject | undefined): Cause[] {
  if (!kind.custom) {
    const { metadata: _metadata, ...content } = object
    const before = live === undefined ? undefined : { ...live, apiVersion: object.apiVersion }
    return [...metadataErrors(object, live, { name: nameRule(kind), namespaced: kind.namespaced }), ...openApiErrors(content, rootOf(kind), '', before)]
  }
  const replicas = kind.scale?.specReplicas.split('.').filter((name) => name !== '')
  return validateCustomResource(object, live, { schema: kind.given ?? kind.schema, namespaced: kind.namespaced, ...(replicas === undefined ? {} : { replicas }) })
}

const roots = new WeakMap<Kind, Schema>()

/** The schema without metadata, which has rules of its own. */
function rootOf(kind: Kind): Schema {
  let root = roots.get(kind)
  if (root === undefined) {
    const { metadata: _metadata, ...properties } = kind.schema.properties ?? {}
    const required = (kind.schema.required ?? []).filter((name) => name !== 'metadata') // an Event's schema asks for it
    roots.set(kind, (root = { ...kind.schema, properties, required }))
  }
  return root
}

function nameRule(kind: Kind): NameRule {
  if (kind.group === 'rbac.authorization.k8s.io') return pathSegmentProblems
  if (kind.group === '' && kind.plural === 'services') return serviceNameProblems
  if (kind.plural === 'namespaces' || kind.plural === 'statefulsets') return labelNameProblems
  return subdomainProblems
}

/** The schema of a built-in kind. */
export function builtInSchema(group: string, version: string, kind: string): Schema | undefined {
  return builtinSchemas.schemaOf(apiVersionOf({ group, version }), kind)
}
