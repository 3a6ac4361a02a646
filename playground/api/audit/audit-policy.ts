import type { Attributes } from '../authorization/attributes.ts'

/** `writes`: what changes objects, but for Events and Leases, which nobody did. `everything`: reads and watches too. */
export type AuditPolicy = 'writes' | 'everything'

const reads = new Set(['get', 'list', 'watch'])

export function isAudited(policy: AuditPolicy, { resourceRequest, verb, group, resource }: Attributes): boolean {
  if (policy === 'everything') return true
  if (!resourceRequest || reads.has(verb)) return false
  return !(resource === 'events' && (group === '' || group === 'events.k8s.io')) && !(resource === 'leases' && group === 'coordination.k8s.io')
}
