import type { User } from '../request.ts'
import { ApiError } from '../status.ts'
import type { Attributes } from './attributes.ts'
import type { RoleIndex } from './role-index.ts'
import { type Rule, ruleAllows } from './rule.ts'

export type Decision = { readonly allowed: boolean; /** By what, or what stood in the way; '' where nothing did. */ readonly reason: string }

/** Members of this group may do everything, whatever roles say. */
const masters = 'system:masters'

/** Who may do what: by roles and their bindings, and nothing that is not bound. */
export class Authorizer {
  readonly index: RoleIndex

  constructor(index: RoleIndex) {
    this.index = index
  }

  check(user: User, asked: Attributes): Decision {
    if (user.groups.includes(masters)) return { allowed: true, reason: '' }
    const missing: string[] = []
    for (const grant of this.index.grants(user, asked.namespace)) {
      if (grant.missing !== undefined) missing.push(grant.missing)
      else if (grant.rules.some((rule) => ruleAllows(rule, asked))) return { allowed: true, reason: `RBAC: allowed by ${grant.source}` }
    }
    const told = [...new Set(missing)]
    return { allowed: false, reason: told.length === 0 ? '' : `RBAC: ${told.length === 1 ? told[0] : `[${told.join(', ')}]`}` }
  }

  /** Throws the 403 that a real server answers. */
  require(user: User, asked: Attributes): void {
    const { allowed, reason } = this.check(user, asked)
    if (!allowed) throw forbiddenRequest(user, asked, reason)
  }

  /** An apply or a PUT of what is not there makes it, which is asked for by itself. */
  requireCreate(user: User, { group, version, plural }: { readonly group: string; readonly version: string; readonly plural: string }, namespace: string, name: string): void {
    this.require(user, { resourceRequest: true, verb: 'create', path: '', group, version, resource: plural, subresource: '', namespace, name })
  }

  /** Every rule that holds for a user in a namespace. */
  rules(user: User, namespace: string): { rules: Rule[]; missing: string[] } {
    const grants = [...this.index.grants(user, namespace)]
    return { rules: grants.flatMap((grant) => grant.rules), missing: grants.flatMap((grant) => grant.missing ?? []) }
  }

  /** Whether a user may write any role: what he gives away is not compared with what he has. */
  isMaster(user: User): boolean {
    return user.groups.includes(masters)
  }
}

/** Source: apiserver `pkg/endpoints/handlers/responsewriters/errors.go`. */
export function forbiddenRequest(user: User, asked: Attributes, reason: string): ApiError {
  const who = `User ${JSON.stringify(user.name)} cannot ${asked.verb}`
  const place = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(asked.namespace)}`
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const what = asked.resourceRequest ? `resource ${JSON.stringify(resource)} in API group ${JSON.stringify(asked.group)} ${place}` : `path ${JSON.stringify(asked.path)}`
  const why = `${`${who} ${what}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}${reason === '' ? '' : `: ${reason}`}`
  const subject = asked.group === '' ? asked.resource : `${asked.resource}.${asked.group}`
  const message = !asked.resourceRequest ? `forbidden: ${why}` : `${subject}${asked.name === '' ? '' : ` ${JSON.stringify(asked.name)}`} is forbidden: ${why}`
  const details = {
    ...(asked.name === '' ? {} : { name: asked.name }),
    ...(asked.group === '' ? {} : { group: asked.group }),
    ...(asked.resource === '' ? {} : { kind: asked.resource }),
  }
  return new ApiError(403, 'Forbidden', message, { details })
}
