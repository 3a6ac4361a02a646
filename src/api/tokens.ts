import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import type { tokenBody } from '#model/api/requests.ts'
import type { tokenAnswer } from '#model/api/views.ts'
import type { Principal } from '#model/principal.ts'
import type { Parts } from '#run/parts.ts'
import { principals, revokeTokens, savePrincipal, saveToken } from '#store/principals.ts'
import { hashToken } from './authorise.ts'

/**
 * Grants a role to a principal, new or known, and makes a token for it. An e-mail address tells who wrote a commit, so it belongs to one principal.
 * Failure `email-taken`.
 */
export async function createToken(parts: Pick<Parts, 'sql' | 'clock'>, body: z.output<typeof tokenBody>): Promise<z.input<typeof tokenAnswer>> {
  const now = parts.clock.now()
  const token = randomBytes(32).toString('base64url')
  const expiresAt = body.forMs === undefined ? null : now + body.forMs
  const saved = await parts.sql.transaction(async (tx) => {
    const everyone = await principals(tx)
    expectFree(everyone, body)
    const known = everyone.find((one) => one.name === body.name)
    const principal = { name: body.name, emails: together(known?.emails ?? [], body.emails), grants: granted(known?.grants ?? [], body) }
    await savePrincipal(tx, principal, now)
    await saveToken(tx, { hash: hashToken(token), principal: body.name, createdAt: now, expiresAt })
    return principal
  })
  return { ...saved, token, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() }
}

/** Takes a principal's tokens back, and its grants: a token that is made for it later starts from nothing. Tells whether there were any. */
export async function revoke(parts: Pick<Parts, 'sql' | 'clock'>, name: string): Promise<boolean> {
  return parts.sql.transaction(async (tx) => {
    const known = (await principals(tx)).find((one) => one.name === name)
    if (known === undefined) return false
    await savePrincipal(tx, { name, emails: known.emails, grants: [] }, parts.clock.now())
    return (await revokeTokens(tx, name)) > 0 || known.grants.length > 0
  })
}

function expectFree(everyone: readonly Principal[], body: z.output<typeof tokenBody>): void {
  for (const email of body.emails) {
    const other = everyone.find((one) => one.name !== body.name && one.emails.some((theirs) => theirs.toLowerCase() === email.toLowerCase()))
    if (other === undefined) continue
    throw new Failure({
      code: 'email-taken',
      subject: email,
      message: `commits with this address are those of ${other.name}`,
      hint: `Make the token for ${other.name}, or give another address.`,
    })
  }
}

function together(known: readonly string[], more: readonly string[]): string[] {
  return [...known, ...more.filter((one) => !known.some((other) => other.toLowerCase() === one.toLowerCase()))]
}

function granted(known: Principal['grants'], body: z.output<typeof tokenBody>): { role: Principal['grants'][number]['role']; environments: string[] }[] {
  const all = known.map((grant) => ({ role: grant.role, environments: [...grant.environments] }))
  const same = all.find((grant) => grant.role === body.role)
  if (same === undefined) return [...all, { role: body.role, environments: [...new Set(body.environments)] }]
  same.environments = [...new Set([...same.environments, ...body.environments])]
  return all
}
