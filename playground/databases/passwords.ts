import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Passwords } from './postgres-server.ts'

/** The passwords of these roles: those of the file, and new ones for roles that it lacks, which are written down (mode 0600) first. */
export function keepPasswords(path: string, roles: readonly string[]): Passwords {
  const known = read(path)
  const all = Object.fromEntries(roles.map((role) => [role, known[role] ?? randomBytes(18).toString('hex')]))
  if (roles.some((role) => known[role] === undefined)) writePrivate(path, `${JSON.stringify(all, null, 2)}\n`)
  return all
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** A file of mode 0600, there at once or not at all. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
