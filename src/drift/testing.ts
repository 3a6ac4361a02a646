import type { Present } from '#model/field-facts.ts'
import type { Finding } from '#model/finding.ts'
import type { DeclaredField, Held, Owner } from '#model/plan.ts'
import type { Drift } from './classify.ts'

/** Values for the tests of this room. */
export const at = Date.parse('2026-11-02T10:00:00Z')
export const key = 'apps/Deployment/shop/web'

export const owner = (manager: string, paths: readonly string[], more: Partial<Owner> = {}): Owner => ({ manager, operation: 'Update', subresource: '', at, paths, ...more })
export const ours = (paths: readonly string[]): Owner => owner('plumbline', paths, { operation: 'Apply', at: at - 60_000 })

export function heldOf(fields: readonly DeclaredField[], more: Partial<Held> = {}): Held {
  return { place: 'place', key, uid: 'u1', environment: 'staging', module: 'web', desired: 'sha256:1', fields, run: 'run-1', ...more }
}

export function liveOf(body: Present['body'], owners: readonly Owner[], more: Partial<Present> = {}): Present {
  return { key, state: 'present', uid: 'u1', version: '7', body, owners, delegated: [], terminating: false, ...more }
}

export function driftOf(more: Partial<Drift> = {}): Drift {
  return { cause: 'manual', fields: [{ path: 'spec.replicas', declared: 2, live: 5 }], manager: 'kubectl-edit', person: null, onset: at, message: 'it drifted', digest: 'sha256:5', traces: [], ...more }
}

export function findingOf(more: Partial<Finding> = {}): Finding {
  return {
    ...driftOf(), id: 'f-1', environment: 'staging', place: 'place', target: 'cluster', driver: 'kubernetes', module: 'web', object: key, seenAt: at, updatedAt: at, count: 1,
    state: 'open', decision: 'report', source: null, accepted: null, run: null, failure: null, turns: [{ by: 'kubectl-edit', at }], resolvedAt: null, ...more,
  }
}
