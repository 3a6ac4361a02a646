import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { type Backend, find } from '../backend.ts'
import { readObject, writeParameters } from '../body.ts'
import { json } from '../request.ts'
import { ApiError, badRequest, invalid, notFound } from '../status.ts'
import type { Verb } from '../verbs/verb.ts'
import { type Bound, issuer, type ServiceAccountTokens } from './service-account-tokens.ts'

const tokenRequest = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }
const anHour = 3600

/** POST to a service account's `token`. Source: kubernetes `pkg/registry/core/serviceaccount/storage/token.go`. */
export function tokenRequestVerb(tokens: ServiceAccountTokens): Verb {
  return (backend, request, target) => {
    const { dryRun } = writeParameters(request, 'CreateOptions')
    const { object } = readObject(request, tokenRequest)
    const spec = isObject(object.spec) ? object.spec : {}
    const account = find(backend, target.kind, target.namespace, target.name)
    if (account === undefined) throw notFound(target.kind, target.name)
    checkNames(object, target.namespace, target.name)
    const seconds = typeof spec.expirationSeconds === 'number' ? spec.expirationSeconds : anHour
    const causes = expiryCauses(seconds)
    if (causes.length > 0) throw invalid(tokenRequest, target.name, causes)
    const asked = Array.isArray(spec.audiences) ? spec.audiences.map(String) : []
    const audiences = asked.length > 0 ? asked : [issuer]
    const ref = isObject(spec.boundObjectRef) ? spec.boundObjectRef : undefined
    const bound = ref === undefined ? undefined : boundObject(backend, target.namespace, target.name, ref)
    const { token, expires } = tokens.issue(account, audiences, seconds, bound)
    return json(201, {
      kind: tokenRequest.kind,
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: target.name, namespace: target.namespace, creationTimestamp: rfc3339(backend.clock.now() / 1000) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: ref ?? null },
      status: { token: dryRun ? '' : token, expirationTimestamp: rfc3339(expires) },
    })
  }
}

function rfc3339(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}

function checkNames(object: KubernetesObject, namespace: string, name: string): void {
  if ((object.metadata.name ?? '') !== '' && object.metadata.name !== name) {
    throw badRequest(`name in body ("${String(object.metadata.name)}") does not match name in URL ("${name}")`)
  }
  if ((object.metadata.namespace ?? '') !== '' && object.metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

function expiryCauses(seconds: number): Cause[] {
  const cause = (why: string): Cause[] => [{ reason: 'FieldValueInvalid', message: `Invalid value: ${seconds}: ${why}`, field: 'spec.expirationSeconds' }]
  if (!(seconds >= 600)) return cause('may not specify a duration less than 10 minutes')
  return seconds > 2 ** 32 ? cause('may not specify a duration larger than 2^32 seconds') : []
}

const bindable: Readonly<Record<string, string>> = { Pod: '/pods', Secret: '/secrets', Node: '/nodes' }

function boundObject(backend: Backend, namespace: string, account: string, ref: JsonObject): Bound {
  const [kind, name, uid] = [String(ref.kind), String(ref.name), typeof ref.uid === 'string' ? ref.uid : '']
  const resource = ref.apiVersion === 'v1' && Object.hasOwn(bindable, kind) ? bindable[kind] : undefined
  if (resource === undefined) {
    const [group = '', version = ''] = String(ref.apiVersion).includes('/') ? String(ref.apiVersion).split('/') : ['', String(ref.apiVersion)]
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`)
  }
  const found = backend.storage.get(resource, `${kind === 'Node' ? '' : namespace}/${name}`)
  if (found === undefined) throw notFound({ group: '', plural: resource.slice(1), kind }, name)
  if (kind === 'Pod') {
    const of = isObject(found.spec) && typeof found.spec.serviceAccountName === 'string' ? found.spec.serviceAccountName : 'default'
    if (of !== account) throw badRequest(`cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`)
  }
  const actual = String(found.metadata.uid)
  if (uid !== '' && uid !== actual) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${kind} "${name}": ${why}`, { details: { name, kind } })
  }
  return { kind: kind as Bound['kind'], name, uid: actual }
}
