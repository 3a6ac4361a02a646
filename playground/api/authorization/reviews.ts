import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { tokenReview, userInfo, userOf } from '../auth/reviews.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { readObject } from '../body.ts'
import { type Answer, type ApiRequest, json, type User } from '../request.ts'
import { badRequest, invalid, methodNotAllowed } from '../status.ts'
import type { Attributes } from './attributes.ts'
import type { Authorizer } from './authorizer.ts'

const kinds: Readonly<Record<string, string>> = {
  'authentication.k8s.io/selfsubjectreviews': 'SelfSubjectReview',
  'authentication.k8s.io/tokenreviews': 'TokenReview',
  'authorization.k8s.io/localsubjectaccessreviews': 'LocalSubjectAccessReview',
  'authorization.k8s.io/selfsubjectaccessreviews': 'SelfSubjectAccessReview',
  'authorization.k8s.io/selfsubjectrulesreviews': 'SelfSubjectRulesReview',
  'authorization.k8s.io/subjectaccessreviews': 'SubjectAccessReview',
}

/** Questions about who one is and what one, or another, may do. `undefined`: the request is no such question. */
export function answerReview(request: ApiRequest, authenticator: Authenticator, authorizer: Authorizer): Answer | undefined {
  const path = /^\/apis\/(authentication|authorization)\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/)?([a-z]+)$/.exec(request.path)
  if (path === null) return undefined
  const [, area = '', namespace = '', plural = ''] = path
  const kind = kinds[`${area}.k8s.io/${plural}`]
  if (kind === undefined || (kind === 'LocalSubjectAccessReview') !== (namespace !== '')) return undefined
  if (request.method !== 'POST') throw methodNotAllowed()
  const group = `${area}.k8s.io`
  const { object } = readObject(request, { group, version: 'v1', kind })
  const spec = isObject(object.spec) ? object.spec : {}
  const status = statusOf(kind, request.user, spec, namespace, authenticator, authorizer)
  return json(201, { kind, apiVersion: `${group}/v1`, metadata: object.metadata, ...(kind === 'SelfSubjectReview' ? {} : { spec }), status })
}

function statusOf(kind: string, user: User, spec: JsonObject, namespace: string, authenticator: Authenticator, authorizer: Authorizer): JsonObject {
  switch (kind) {
    case 'SelfSubjectReview':
      return { userInfo: userInfo(user) }
    case 'TokenReview':
      return tokenReview(spec, authenticator)
    case 'SelfSubjectRulesReview':
      return rulesStatus(user, spec, authorizer)
    default: {
      const asked = askedFor(kind, spec)
      if (kind === 'SelfSubjectAccessReview') return decisionStatus(user, asked, authorizer)
      const who = userOf(spec, 'user')
      if (who.name === '' && who.groups.length === 0) throw refused(kind, 'spec.user', 'Invalid value: "": at least one of user or group must be specified')
      if (kind === 'LocalSubjectAccessReview' && asked.namespace !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
      return decisionStatus(who, asked, authorizer)
    }
  }
}

function decisionStatus(user: User, asked: Attributes, authorizer: Authorizer): JsonObject {
  const { allowed, reason } = authorizer.check(user, asked)
  return { allowed, ...(reason === '' ? {} : { reason }) }
}

function askedFor(kind: string, spec: JsonObject): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  if (isObject(resource) === isObject(path)) {
    throw refused(kind, 'spec.resourceAttributes', 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified')
  }
  const of = (isObject(resource) ? resource : path) as JsonObject
  const text = (name: string): string => (typeof of[name] === 'string' ? of[name] : '')
  const [verb, namespace, name] = [text('verb'), text('namespace'), text('name')]
  if (!isObject(resource)) return { resourceRequest: false, verb, path: text('path'), group: '', version: '', resource: '', subresource: '', namespace: '', name: '' }
  return { resourceRequest: true, verb, path: '', group: text('group'), version: text('version'), resource: text('resource'), subresource: text('subresource'), namespace, name }
}

function refused(kind: string, field: string, message: string): Error {
  return invalid({ group: 'authorization.k8s.io', kind }, '', [{ reason: 'FieldValueInvalid', message, field }])
}

function rulesStatus(user: User, spec: JsonObject, authorizer: Authorizer): JsonObject {
  if (typeof spec.namespace !== 'string' || spec.namespace === '') throw badRequest('no namespace on request')
  const { rules, missing } = authorizer.rules(user, spec.namespace)
  const some = (name: string, values: readonly string[]): { [key: string]: Json } => (values.length === 0 ? {} : { [name]: [...values] })
  return {
    resourceRules: rules
      .filter((rule) => rule.resources.length > 0)
      .map((rule) => ({ verbs: [...rule.verbs], ...some('apiGroups', rule.apiGroups), ...some('resources', rule.resources), ...some('resourceNames', rule.resourceNames) })),
    nonResourceRules: rules.filter((rule) => rule.nonResourceURLs.length > 0).map((rule) => ({ verbs: [...rule.verbs], ...some('nonResourceURLs', rule.nonResourceURLs) })),
    incomplete: false,
    ...(missing.length === 0 ? {} : { evaluationError: missing.length === 1 ? (missing[0] as string) : `[${missing.join(', ')}]` }),
  }
}
