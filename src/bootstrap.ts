import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hashToken } from '#api/authorise.ts'
import type { Role } from '#model/principal.ts'
import { principalOfToken, savePrincipal, saveToken } from '#store/principals.ts'
import type { Sql } from '#store/sql.ts'

/** A principal with a token in a file of mode 0600; one that is good already stays. Returns the token. */
export async function ensurePrincipal(sql: Sql, name: string, role: Role, emails: readonly string[], file: string, now: number): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known !== undefined && (await principalOfToken(sql, hashToken(known.trim()), now)) !== undefined) return known.trim()
  const token = randomBytes(32).toString('base64url')
  await sql.transaction(async (tx) => {
    await savePrincipal(tx, { name, emails, grants: [{ role, environments: ['*'] }] }, now)
    await saveToken(tx, { hash: hashToken(token), principal: name, createdAt: now, expiresAt: null })
  })
  // A file of its own, by one rename: one that lay there keeps neither its rights nor what it leads to.
  await rm(`${file}.new`, { force: true })
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600, flag: 'wx' })
  await rename(`${file}.new`, file)
  return token
}

/** The first principal: whoever can read the installation's folder is its admin. */
export function ensureAdmin(sql: Sql, file: string, now: number): Promise<string> {
  return ensurePrincipal(sql, 'admin', 'admin', [], file, now)
}
