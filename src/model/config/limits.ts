import { matchesGlob } from '#model/glob.ts'
import type { Limits } from './workspace.ts'

/** Whether a repository may use a secret reference (`<provider>:<path>#<key>`); the key is part of what the globs see. */
export function secretAllowed(reference: string, limits: Limits): boolean {
  return limits === 'everything' || limits.secrets.some((glob) => matchesGlob(glob, reference))
}
