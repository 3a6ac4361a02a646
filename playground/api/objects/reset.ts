import type { Kind } from '../kinds.ts'

/** Dotted paths that an end point drops, so that nobody comes to own them by it. */
export function resetOf(kind: Kind, subresource: string): readonly string[] {
  if (!kind.status) return []
  return subresource === 'status' ? ['metadata', 'spec'] : ['status']
}
