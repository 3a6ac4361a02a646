import type { Principal } from '#model/principal.ts'
import type { Sql } from './sql.ts'

const columns = 'name, emails, grants'

export async function principals(sql: Sql): Promise<Principal[]> {
  return sql.query<Principal>(`select ${columns} from principal order by name`)
}

export async function savePrincipal(sql: Sql, principal: Principal, at: number): Promise<void> {
  await sql.query(
    `insert into principal (name, emails, grants, created_at) values ($1, $2, $3, $4)
     on conflict (name) do update set emails = excluded.emails, grants = excluded.grants`,
    [principal.name, principal.emails, principal.grants, at],
  )
}

/** Only the digest of a token is kept. */
export async function saveToken(sql: Sql, token: { hash: string; principal: string; createdAt: number; expiresAt: number | null }): Promise<void> {
  await sql.query('insert into token (hash, principal, created_at, expires_at) values ($1, $2, $3, $4)', [token.hash, token.principal, token.createdAt, token.expiresAt])
}

export async function revokeTokens(sql: Sql, principal: string): Promise<number> {
  const rows = await sql.query('delete from token where principal = $1 returning hash', [principal])
  return rows.length
}

/** Whom a token belongs to; `undefined` when it is unknown or its time is over. */
export async function principalOfToken(sql: Sql, hash: string, now: number): Promise<{ principal: Principal; expiresAt: number | null } | undefined> {
  const [row] = await sql.query<Principal & { expiresAt: number | null }>(
    `select name, emails, grants, token.expires_at as "expiresAt" from token join principal on principal.name = token.principal
     where token.hash = $1 and (token.expires_at is null or token.expires_at > $2)`,
    [hash, now],
  )
  if (row === undefined) return undefined
  const { expiresAt, ...principal } = row
  return { principal, expiresAt }
}
