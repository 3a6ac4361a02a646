import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { inVersion } from '../backend.ts'
import { apiVersionOf, resourceOf } from '../kinds.ts'
import { selectorMatches } from './label-selector.ts'
import type { World } from './matching.ts'

/** The objects that a policy is evaluated with, each by itself: one `undefined` where it has no parameters, none where the binding lets them be missing. */
export type Params = { readonly params: readonly (KubernetesObject | undefined)[] } | { readonly problem: string; readonly of: 'policy' | 'binding' }

/** Source: apiserver `pkg/admission/plugin/policy/generic/policy_dispatcher.go`. */
export function paramsFor(paramKind: JsonObject | undefined, paramRef: JsonObject | undefined, namespace: string, { storage, registry }: World): Params {
  if (paramKind === undefined) return { params: [undefined] }
  const kind = registry.all().find((served) => apiVersionOf(served) === paramKind.apiVersion && served.kind === paramKind.kind)
  if (kind === undefined) return { problem: `failed to find resource referenced by paramKind: '${String(paramKind.apiVersion)}, Kind=${String(paramKind.kind)}'`, of: 'policy' }
  if (paramRef === undefined) return { params: [undefined] }
  const stated = typeof paramRef.namespace === 'string' ? paramRef.namespace : ''
  if (!kind.namespaced && stated !== '') return { problem: 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`', of: 'binding' }
  const home = kind.namespaced ? stated || namespace : ''
  if (kind.namespaced && home === '') return { problem: 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources', of: 'binding' }
  const found = named()
  if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny') return { problem: 'no params found for policy binding with `Deny` parameterNotFoundAction', of: 'binding' }
  return { params: found.map((object) => inVersion(object, kind)) }

  function named(): KubernetesObject[] {
    const resource = resourceOf(kind as NonNullable<typeof kind>)
    if (typeof paramRef?.name === 'string' && paramRef.name !== '') {
      const one = storage.get(resource, `${home}/${paramRef.name}`)
      return one === undefined ? [] : [one]
    }
    const selector = isObject(paramRef?.selector) ? paramRef.selector : {}
    return storage.list(resource, kind?.namespaced === true ? home : undefined).filter((object) => selectorMatches(selector, object.metadata.labels))
  }
}
