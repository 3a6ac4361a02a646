import { parseKey } from '#model/resource.ts'
import type { ObjectKey } from '#model/resource.ts'

const order = ['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'PersistentVolumeClaim', 'Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Service', 'Ingress']

/** As a reader of a module expects its files: what others need first. */
export function importOrder(key: ObjectKey): number {
  const at = order.indexOf(parseKey(key).kind)
  return at === -1 ? order.length : at
}
