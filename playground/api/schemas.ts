import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'
import { metadataErrors, type NameRule } from '#playground/schema/metadata-errors.ts'
import { normalMetadata } from '#playground/schema/metadata.ts'
import { labelNameProblems, pathSegmentProblems, serviceNameProblems, subdomainProblems } from '#playground/schema/names.ts'
import { prune } from '#playground/schema/pruning.ts'
import { withDefaults, withoutNulls } from '#playground/schema/structural-defaults.ts'
import { validateCustomResource } from '#playground/schema/validation.ts'
import type { Kind } from './kinds.ts'
import { badRequest } from './status.ts'

export type Decoded = {
  readonly object: KubernetesObject
  /** Paths that the schema does not declare; what stood there is gone. */
  readonly unknown: readonly string[]
}

/** The object as the server holds it: what is unknown pruned, defaults filled in. A new value. `asIs` leaves nulls to be found by validation. */
export function decoded(kind: Kind, object: KubernetesObject, nulls: 'dropped' | 'asIs' = 'dropped'): Decoded {
  const pruned = prune(object, kind.schema)
  const normal = normalMetadata(pruned.object)
  if ('problem' in normal) throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${normal.problem}`)
  const whole = nulls === 'dropped' ? withoutNulls(normal.object, kind.schema) : normal.object
  return { object: withDefaults(whole, kind.schema), unknown: pruned.unknown }
}

/** What does not hold. With `live`, what was already so is let pass, and transition rules are checked. */
export function schemaCauses(kind: Kind, object: KubernetesObject, live: KubernetesObject | undefined): Cause[] {
  if (!kind.custom) return metadataErrors(object, live, nameRule(kind))
  const replicas = kind.scale?.specReplicas.split('.').filter((name) => name !== '')
  return validateCustomResource(object, live, { schema: kind.given ?? kind.schema, ...(replicas === undefined ? {} : { replicas }) })
}

function nameRule(kind: Kind): NameRule {
  if (kind.group === 'rbac.authorization.k8s.io') return pathSegmentProblems
  if (kind.group === '' && kind.plural === 'services') return serviceNameProblems
  if (kind.plural === 'namespaces' || kind.plural === 'statefulsets') return labelNameProblems
  return subdomainProblems
}

/** The schema of a built-in kind. */
export function builtInSchema(_group: string, _version: string, _kind: string): Schema | undefined {
  return undefined
}
