import type { Kind } from '../kinds.ts'

/**
 * Metadata that a write to the status of a built-in kind leaves as it is. The rest of it, annotations for one, goes with the status, as nodes and
 * controllers rely on. Source: each kind's `registry/…/strategy.go`.
 */
export const keptByStatus: Readonly<Record<string, readonly string[]>> = { '/Pod': ['ownerReferences'], 'apps/Deployment': ['labels'] }

/** Dotted paths that an end point drops, so that nobody comes to own them by it. */
export function resetOf(kind: Kind, subresource: string): readonly string[] {
  if (!kind.status) return []
  if (subresource !== 'status') return ['status']
  return kind.custom ? ['metadata', 'spec'] : ['spec', ...(keptByStatus[`${kind.group}/${kind.kind}`] ?? []).map((name) => `metadata.${name}`)]
}
