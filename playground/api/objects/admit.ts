import { isObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import type { Backend } from '../backend.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { FieldValidation } from '../body.ts'
import type { Kind } from '../kinds.ts'
import { decoded, schemaCauses } from '../schemas.ts'
import { badRequest, forbidden, invalid, notFound } from '../status.ts'

export type Told = { readonly object: KubernetesObject; readonly problems: readonly string[] }

/** The object pruned and defaulted, and what was told twice or is not declared, in Kubernetes' words. */
export function decode(kind: Kind, object: KubernetesObject, duplicates: readonly string[] = []): Told {
  const { object: whole, unknown } = decoded(kind, object)
  return { object: whole, problems: [...duplicates, ...unknown.map((path) => `unknown field "${path}"`)] }
}

/** Under `Strict` what was found is an error; under `Warn` it is handed back as warnings. */
export function judge(problems: readonly string[], validation: FieldValidation, kind: Kind): readonly string[] {
  if (problems.length === 0 || validation === 'Ignore') return []
  if (validation === 'Warn') return problems
  const shown = problems.map((problem) => (problem.startsWith('line ') ? `yaml: unmarshal errors:\n  ${problem}` : problem))
  throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${shown.join(', ')}`)
}

/** Everything that must hold of an object before it is stored. Throws 422 with every cause. */
export function validate(kind: Kind, object: KubernetesObject, old: KubernetesObject | undefined, warnings: readonly string[]): void {
  const causes: Cause[] = []
  causes.push(...schemaCauses(kind, object, old))
  causes.push(...(behaviourOf(kind)?.check?.(object, old) ?? []))
  if (causes.length > 0) throw invalid({ group: kind.group, kind: object.kind }, object.metadata.name ?? '', causes, warnings)
}

/** New content needs a namespace that exists and is not ending. */
export function checkNamespace(backend: Backend, kind: Kind, namespace: string, name: string): void {
  if (!kind.namespaced || !backend.options.namespaceLifecycle) return
  const found = backend.storage.get('/namespaces', `/${namespace}`)
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace)
  const phase = isObject(found.status) ? found.status.phase : undefined
  if (found.metadata.deletionTimestamp === undefined && phase !== 'Terminating') return
  throw forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
  ])
}
