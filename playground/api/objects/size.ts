import type { KubernetesObject } from '#playground/contract.ts'
import { internal } from '../status.ts'

const objectLimit = 1_572_864 // etcd's default request limit, 1.5 MiB

export function checkSize(object: KubernetesObject): void {
  if (JSON.stringify(object).length > objectLimit) throw internal('etcdserver: request is too large')
}
