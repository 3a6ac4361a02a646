import { toCel } from '#lib/cel-values.ts'
import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { userInfo } from '../auth/reviews.ts'
import type { Kind } from '../kinds.ts'
import type { AdmissionRequest } from './admission-request.ts'
import { CelAuthorizer } from './cel-authorizer.ts'
import { evaluate, type Values } from './cel-program.ts'
import { asMatched } from './matching.ts'
import { evictionKind } from '../objects/evict-pod.ts'
import { scaleKind } from '../objects/scale-of.ts'

/** An `AdmissionRequest` without its objects, as webhooks and expressions are told of it. `kind` is the version that they asked for. */
export function requestFields(request: AdmissionRequest, kind: Kind): JsonObject {
  const kindOf = (of: Kind): JsonObject => {
    const shown = request.subresource === 'scale' ? scaleKind : request.subresource === 'eviction' ? evictionKind : of
    return { group: shown.group, version: shown.version, kind: shown.kind }
  }
  const resourceOf = (of: Kind): JsonObject => ({ group: of.group, version: of.version, resource: of.plural })
  const part = request.subresource === '' ? {} : { subResource: request.subresource, requestSubResource: request.subresource }
  const optionsKind = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }[request.operation]
  return {
    kind: kindOf(kind),
    resource: resourceOf(kind),
    requestKind: kindOf(request.kind),
    requestResource: resourceOf(request.kind),
    ...part,
    name: request.name,
    ...(request.namespace === '' ? {} : { namespace: request.namespace }),
    operation: request.operation,
    userInfo: userInfo(request.user),
    dryRun: request.dryRun,
    options: {
      kind: optionsKind,
      apiVersion: 'meta.k8s.io/v1',
      ...(request.manager === '' ? {} : { fieldManager: request.manager }),
      ...(request.dryRun ? { dryRun: ['All'] } : {}),
    },
  }
}

/** What an expression about a request may look at, without `params` and `variables`. */
export function valuesOf(request: AdmissionRequest, kind: Kind, namespace: KubernetesObject | undefined, authorizer: Authorizer): Values {
  const { group, version, plural } = request.kind
  const resource = { group, version, resource: plural, subresource: request.subresource, namespace: request.namespace, name: request.name }
  return {
    object: toCel(asMatched(request.object(), request, kind) ?? null),
    oldObject: toCel(asMatched(request.oldObject, request, kind) ?? null),
    request: toCel(requestFields(request, kind)),
    namespaceObject: toCel(namespace ?? null),
    params: null,
    variables: Object.create(null) as object,
    authorizer: new CelAuthorizer(authorizer, request.user, resource),
  }
}

/** `variables`, each evaluated when it is first looked at, with those before it in sight; its error is that of whoever looks. */
export function withVariables(values: Values, variables: readonly { readonly name: string; readonly expression: string }[]): Values {
  const object = Object.create(null) as Record<string, unknown>
  const all = { ...values, variables: object }
  for (const { name, expression } of variables) {
    let known: ReturnType<typeof evaluate> | undefined
    Object.defineProperty(object, name, {
      enumerable: true,
      get: () => {
        known ??= evaluate(expression, all)
        if ('error' in known) throw new Error(`composited variable "${name}" fails to evaluate: ${known.error}`)
        return known.value
      },
    })
  }
  return all
}
