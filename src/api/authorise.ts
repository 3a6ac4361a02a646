import { createHash } from 'node:crypto'
import { Failure } from '#lib/failure.ts'
import { matchesGlob } from '#model/glob.ts'
import { roles } from '#model/principal.ts'
import type { Principal, Role } from '#model/principal.ts'
import { principalOfToken } from '#store/principals.ts'
import type { Sql } from '#store/sql.ts'

/** What a route asks of whoever calls it: a role, in an environment or in the whole workspace (`*`). */
export type Demand = { readonly role: Role; readonly environment: string }

/**
 * The one decision on who may do what. Deny is the default: a principal may do it when one of its grants has the role, or a higher one, for the
 * environment. What concerns the whole workspace needs a grant for all environments. Failure `forbidden`.
 */
export function authorise(principal: Principal, demand: Demand): void {
  const needed = roles.indexOf(demand.role)
  const allowed = principal.grants.some(
    (grant) => roles.indexOf(grant.role) >= needed && grant.environments.some((glob) => glob === '*' || (demand.environment !== '*' && matchesGlob(glob, demand.environment))),
  )
  if (allowed) return
  throw new Failure({
    code: 'forbidden',
    subject: principal.name,
    message: `${principal.name} is not ${demand.role} ${demand.environment === '*' ? 'in the whole workspace' : `in ${demand.environment}`}`,
    hint: `An admin can grant it: plumb token create ${principal.name} --role ${demand.role}${demand.environment === '*' ? '' : ` --env ${demand.environment}`}`,
  })
}

/** Who bears this `Authorization` header. Failure `unauthenticated`: the same for no token, a wrong one and one whose time is over. */
export async function authenticate(sql: Sql, header: string | undefined, now: number): Promise<{ principal: Principal; expiresAt: number | null }> {
  const token = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(header ?? '')?.[1]
  const found = token === undefined ? undefined : await principalOfToken(sql, hashToken(token), now)
  if (found !== undefined) return found
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
