import type { Person } from '#playground/kubeconfig.ts'

/**
 * The people of the example organisation, known to its clusters as to its Git: by their e-mail. The platform's may do everything; what the teams' may do
 * stands in the platform’s `baseline`, in `access.yaml`.
 */
export const people: readonly Person[] = [
  { login: 'noor', name: 'noor@platform.example', groups: ['platform', 'system:masters'] },
  { login: 'ivo', name: 'ivo@platform.example', groups: ['platform', 'system:masters'] },
  { login: 'ada', name: 'ada@orders.example', groups: ['orders'] },
  { login: 'jun', name: 'jun@orders.example', groups: ['orders'] },
  { login: 'lea', name: 'lea@storefront.example', groups: ['storefront'] },
  { login: 'sam', name: 'sam@storefront.example', groups: ['storefront'] },
]
