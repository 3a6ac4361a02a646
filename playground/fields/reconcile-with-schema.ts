import type { Schema } from '#playground/contract.ts'
import { atomOf, branchOf, deduced, fieldSchema } from './atom.ts'
import { FieldSet } from './field-set.ts'

/**
 * A set that was written under an older schema: what is atomic by now is owned whole, by all who owned a part of it. The way back
 * (atomic to granular) is not known to the server either. Returns the same set where nothing changed.
 * Source: structured-merge-diff `typed/reconcile_schema.go`.
 */
export function reconcileWithSchema(set: FieldSet, schema: Schema): FieldSet {
  let changed = false
  const out = new FieldSet()
  for (const element of set.members) out.members.add(element)
  const atom = atomOf(schema)
  const branch = branchOf(atom)
  for (const [element, child] of set.children) {
    const below = branch === 'map' && element.startsWith('f:') && atom.map !== undefined ? fieldSchema(atom.map, element.slice(2)) : branch === 'list' ? atom.list?.element : undefined
    if (below !== undefined && below !== deduced && isAtomic(below) && !child.empty) {
      out.members.add(element)
      changed = true
      continue
    }
    const kept = below === undefined || below === deduced ? child : reconcileWithSchema(child, below)
    if (kept !== child) changed = true
    out.children.set(element, kept)
  }
  return changed ? out : set
}

function isAtomic(schema: Schema): boolean {
  const atom = atomOf(schema)
  const branch = branchOf(atom)
  return branch === 'map' ? atom.map?.atomic === true : branch === 'list' && atom.list?.keys === 'atomic'
}
