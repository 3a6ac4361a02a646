import type { Cause } from '#playground/contract.ts'
import type { Owned } from './managers.ts'
import { showPath } from './path-element.ts'
import type { Conflicts } from './updater.ts'

/** A 409's message and causes, in the server's words: managers in order, the fields of each in order. */
export function conflictCauses(conflicts: Conflicts, managers: ReadonlyMap<string, Owned>): { readonly conflicts: Cause[]; readonly message: string } {
  const causes: Cause[] = []
  const lines: string[] = []
  for (const key of [...conflicts.keys()].sort()) {
    const name = showManager(managers.get(key) as Owned)
    lines.push(`conflicts with ${name}:`)
    for (const path of conflicts.get(key)?.paths() ?? []) {
      causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field: showPath(path) })
      lines.push(`- ${showPath(path)}`)
    }
  }
  const only = causes[0]
  if (causes.length === 1 && only !== undefined) return { conflicts: causes, message: `Apply failed with 1 conflict: ${only.message}: ${only.field}` }
  return { conflicts: causes, message: `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}` }
}

function showManager({ id }: Owned): string {
  const subresource = id.subresource === '' ? '' : ` with subresource ${JSON.stringify(id.subresource)}`
  const version = id.operation === 'Update' ? ` using ${id.apiVersion}` : ''
  return `${JSON.stringify(id.manager)}${subresource}${version}`
}
