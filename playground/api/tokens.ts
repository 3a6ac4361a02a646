import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { User } from './request.ts'

/** Bearer tokens and whom they stand for; kept as digests, so that a look-up takes as long for a near miss. */
export class Tokens {
  readonly #users = new Map<string, User>()

  add(token: string, user: User): void {
    this.#users.set(digest(token), user)
  }

  userOf(token: string): User | undefined {
    const wanted = digest(token)
    for (const [known, user] of this.#users) if (timingSafeEqual(Buffer.from(known), Buffer.from(wanted))) return user
    return undefined
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The administrator's token: made at the first start, kept in a file that only its owner reads. */
export function adminToken(dir: string): string {
  const path = join(dir, 'admin-token')
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const token = randomBytes(32).toString('base64url')
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  return token
}
