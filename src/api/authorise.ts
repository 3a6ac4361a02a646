import { createHash } from 'node:crypto'
import { Failure } from '#lib/failure.ts'
import { holdsRole, roles } from '#model/principal.ts'
import type { Principal, Role } from '#model/principal.ts'
import { principalOfToken } from '#store/principals.ts'
import type { Sql } from '#store/sql.ts'

/**
 * What a route asks of whoever calls it: a role, and where it must hold. `workspace`: a grant for all environments. `somewhere`: a grant for any
 * environment; the answer then holds what is theirs.
 */
export type Demand = { readonly role: Role; readonly where: 'workspace' | 'somewhere' | { readonly environment: string } }

/** A bearer of a good token. `expiresAt` is the token's end, in milliseconds since 1970. */
export type Bearer = { readonly principal: Principal; readonly expiresAt: number | null; readonly hash: string }

/**
 * The one decision on who may do what. Deny is the default: a principal may do it when one of its grants has the role, or a higher one, for the
 * place. Failure `forbidden`.
 */
export function authorise(principal: Principal, demand: Demand): void {
  if (holds(principal, demand)) return
  const { role, where } = demand
  const environment = typeof where === 'object' ? where.environment : undefined
  throw new Failure({
    code: 'forbidden',
    subject: principal.name,
    message: `${principal.name} is not ${role} ${environment === undefined ? (where === 'workspace' ? 'in the whole workspace' : 'in any environment') : `in ${environment}`}`,
    hint: `An admin can grant it: plumb token create ${principal.name} --role ${role}${where === 'workspace' ? '' : ` --env ${environment ?? 'ENVIRONMENT'}`}`,
  })
}

/** Which environments a principal may look at. What it may not look at is not there for it: not in a list, and not by its id. */
export function visibleTo(principal: Principal): (environment: string) => boolean {
  return (environment) => holds(principal, { role: 'viewer', where: { environment } })
}

/** Whether a principal may look at every environment, so that nothing has to be filtered. */
export function seesAll(principal: Principal): boolean {
  return holds(principal, { role: 'viewer', where: 'workspace' })
}

function holds(principal: Principal, { role, where }: Demand): boolean {
  if (typeof where === 'object') return holdsRole(principal, role, where.environment)
  const needed = roles.indexOf(role)
  return principal.grants.some((grant) => roles.indexOf(grant.role) >= needed && (where === 'somewhere' ? grant.environments.length > 0 : grant.environments.includes('*')))
}

/** The token of an `Authorization` header; undefined where it has none of the form that tokens have. */
export function tokenOf(header: string | undefined): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(header ?? '')?.[1]
}

/** Who bears a token. Failure `unauthenticated`: the same for no token, a wrong one, one that was taken back and one whose time is over. */
export async function authenticate(sql: Sql, token: string | undefined, now: number): Promise<Bearer> {
  const hash = token === undefined ? '' : hashToken(token)
  const found = token === undefined ? undefined : await principalOfToken(sql, hash, now)
  if (found !== undefined) return { ...found, hash }
  throw new Failure({
    code: 'unauthenticated',
    subject: 'the request',
    message: 'it bears no token that is known here',
    hint: 'Give a token: --token-file FILE or PLUMB_TOKEN; `plumb token create NAME --role ROLE` makes one.',
  })
}

/** The digest under which a token is looked up: tokens have 256 bits of chance, so a plain digest keeps them. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
