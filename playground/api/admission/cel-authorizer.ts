import type { Environment } from '@marcbachmann/cel-js'
import { serviceAccountUser } from '../auth/service-account-tokens.ts'
import type { Attributes } from '../authorization/attributes.ts'
import type { Authorizer, Decision } from '../authorization/authorizer.ts'
import type { User } from '../request.ts'

const nothing: Attributes = { resourceRequest: true, verb: '', path: '', group: '', version: '*', resource: '', subresource: '', namespace: '', name: '' }

/** `authorizer` in an expression: what the request's user may do besides. */
export class CelAuthorizer {
  readonly authorizer: Authorizer
  readonly user: User
  readonly requestResource: CelCheck

  constructor(authorizer: Authorizer, user: User, requested: Partial<Attributes>) {
    this.authorizer = authorizer
    this.user = user
    this.requestResource = new CelCheck(authorizer, user, { ...nothing, ...requested })
  }
}

class CelCheck {
  readonly authorizer: Authorizer
  readonly user: User
  readonly asked: Attributes

  constructor(authorizer: Authorizer, user: User, asked: Attributes) {
    this.authorizer = authorizer
    this.user = user
    this.asked = asked
  }

  with(more: Partial<Attributes>): CelCheck {
    return new CelCheck(this.authorizer, this.user, { ...this.asked, ...more })
  }
}

class CelGroup extends CelCheck {}
class CelPath extends CelCheck {}

class CelDecision {
  readonly decision: Decision

  constructor(decision: Decision) {
    this.decision = decision
  }
}

const package_ = 'kubernetes.authorization'
const [authorizer, group, resource, path, decision] = ['Authorizer', 'GroupCheck', 'ResourceCheck', 'PathCheck', 'Decision'].map((name) => `${package_}.${name}`) as [string, string, string, string, string]

/** Adds Kubernetes' library `authz`. Source: the documentation of apiserver's `pkg/cel/library/authz.go`. */
export function addAuthorizer(environment: Environment): Environment {
  environment.registerType(resource, CelCheck).registerType(group, CelGroup).registerType(path, CelPath).registerType(decision, CelDecision)
  environment.registerType(authorizer, { ctor: CelAuthorizer, fields: { requestResource: resource } })
  environment.registerVariable('authorizer', authorizer)
  const named = (text: string, what: string): string => {
    if (text.trim() === '') throw new Error(`${what} must not be empty`)
    return text
  }
  environment.registerFunction(`${authorizer}.group(string): ${group}`, (from: CelAuthorizer, name: string) => new CelGroup(from.authorizer, from.user, { ...nothing, group: name }))
  environment.registerFunction(
    `${authorizer}.path(string): ${path}`,
    (from: CelAuthorizer, text: string) => new CelPath(from.authorizer, from.user, { ...nothing, resourceRequest: false, path: named(text, 'path') }),
  )
  environment.registerFunction(`${authorizer}.serviceAccount(string, string): ${authorizer}`, (from: CelAuthorizer, namespace: string, name: string) => {
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace)) throw new Error('Invalid service account namespace')
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) throw new Error('Invalid service account name')
    return new CelAuthorizer(from.authorizer, serviceAccountUser(namespace, name), from.requestResource.asked)
  })
  environment.registerFunction(`${group}.resource(string): ${resource}`, (from: CelGroup, name: string) => new CelCheck(from.authorizer, from.user, { ...from.asked, resource: named(name, 'resource') }))
  for (const part of ['subresource', 'namespace', 'name'] as const) {
    environment.registerFunction(`${resource}.${part}(string): ${resource}`, (from: CelCheck, text: string) => from.with({ [part]: text }))
  }
  // Selectors narrow what is asked; roles do not look at them.
  for (const part of ['fieldSelector', 'labelSelector']) environment.registerFunction(`${resource}.${part}(string): ${resource}`, (from: CelCheck) => from)
  const check = (from: CelCheck, verb: string): CelDecision => new CelDecision(from.authorizer.check(from.user, { ...from.asked, verb }))
  environment.registerFunction(`${resource}.check(string): ${decision}`, check)
  environment.registerFunction(`${path}.check(string): ${decision}`, (from: CelPath, verb: string) => check(from, verb.toLowerCase()))
  environment.registerFunction(`${decision}.allowed(): bool`, (from: CelDecision) => from.decision.allowed)
  environment.registerFunction(`${decision}.reason(): string`, (from: CelDecision) => from.decision.reason)
  environment.registerFunction(`${decision}.errored(): bool`, () => false)
  environment.registerFunction(`${decision}.error(): string`, () => '')
  return environment
}
