import type { User } from '../request.ts'

/** Who writes in process: the controllers and the kubelet. Policies judge what they write; webhooks cannot be asked, for nothing in process waits. */
export const controllerManager: User = { name: 'system:kube-controller-manager', groups: ['system:authenticated'] }

/** The server itself, for what it must be able to do: nothing judges it. */
export const apiServer: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
