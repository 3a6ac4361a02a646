import type { User } from '../request.ts'

const known = 'system:authenticated'

/** The server itself, for what it must be able to do: nothing judges it. */
export const apiServer: User = { name: 'system:apiserver', groups: ['system:masters', known] }

function serviceAccount(namespace: string, name: string): User {
  return { name: `system:serviceaccount:${namespace}:${name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, known] }
}

/** Whose credentials the programs have that write in process, by the field manager that they write as; each where its own installation puts it. */
const writers: Readonly<Record<string, User>> = {
  kubelet: { name: 'system:node:playground', groups: ['system:nodes', known] },
  manager: serviceAccount('cnpg-system', 'cnpg-manager'),
  'postgres-operator': serviceAccount('default', 'postgres-operator'),
  'elastic-operator': serviceAccount('elastic-system', 'elastic-operator'),
  'strimzi-cluster-operator': serviceAccount('kafka', 'strimzi-cluster-operator'),
}
const controllerManager: User = { name: 'system:kube-controller-manager', groups: [known] }

/** A user of its own for each request. Policies and webhooks judge what he writes. */
export function writerOf(manager: string): User {
  return { ...(writers[manager] ?? controllerManager) }
}
