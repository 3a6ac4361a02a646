import type { KubernetesObject } from '#playground/contract.ts'
import type { Kind } from '../kinds.ts'
import type { User } from '../request.ts'

/** What is judged before it is written. */
export type AdmissionRequest = {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly kind: Kind
  readonly subresource: string
  /** Of a Namespace: itself. */
  readonly namespace: string
  /** '' where it is still to be generated. */
  readonly name: string
  /** As it is to be stored; a Scale at that subresource. Made only where somebody looks at it. */
  readonly object: () => KubernetesObject | undefined
  readonly oldObject: KubernetesObject | undefined
  readonly user: User
  readonly dryRun: boolean
  /** The field manager, for the request's options. */
  readonly manager: string
  /** Where warnings for the client are put. */
  readonly warnings: string[]
}

/** What decides on admission may not decide on itself: nobody could take a mistake back. */
export function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === 'admissionregistration.k8s.io'
}

/** The name that a refusal bears: an object that has none yet is called by its prefix. */
export function shownName(request: AdmissionRequest): string {
  if (request.name !== '') return request.name
  const { name, generateName } = request.object()?.metadata ?? {}
  return name !== undefined && name !== '' ? name : typeof generateName === 'string' && generateName !== '' ? generateName : 'Unknown'
}
