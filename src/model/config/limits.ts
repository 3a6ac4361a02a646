import { secretAllowed as allowedBy } from '#model/secret-reference.ts'
import type { Limits } from './workspace.ts'

/** Whether a repository may use a secret reference (`<provider>:<path>#<key>`); the key is part of what the globs see. */
export function secretAllowed(reference: string, limits: Limits): boolean {
  return limits === 'everything' || allowedBy(reference, limits.secrets)
}
