import type { Cluster } from '#playground/cluster.ts'
import { pods, type Pod } from '#playground/controllers/kinds.ts'
import type { Breakage } from './breakage.ts'

const ordersImage = 'registry.shop.example/orders/orders-api'

/** What can be broken of one cluster. */
export function clusterBreakages(cluster: Cluster): Breakage[] {
  const { ingress, names, images, objects } = cluster
  const hang = new Hang()
  let injected = false
  return [
    {
      name: 'image',
      does: `${ordersImage} is gone from the registry and the node, and one of its pods is deleted`,
      shows: 'the pod’s successor stays in ImagePullBackOff; with one pod the service is down, with more it goes on with the others',
      state: async () => (images.isWithdrawn(ordersImage) ? 'broken' : 'whole'),
      break: async () => {
        images.withdraw(ordersImage)
        const [newest] = objects.list(pods, 'orders').filter(runsOrders).sort((a, b) => created(b).localeCompare(created(a)))
        if (newest !== undefined) objects.delete(pods, newest.metadata)
      },
      mend: async () => {
        images.restore(ordersImage)
        cluster.pokePods()
      },
    },
    {
      name: 'ingress',
      does: 'the entrance listens no longer',
      shows: 'every probe through the ingress fails (connection refused), while the pods are well',
      state: async () => (ingress.isOpen ? 'whole' : 'broken'),
      break: () => ingress.close(),
      mend: () => ingress.open(),
    },
    {
      name: 'dns',
      does: 'the name server of the cluster, which knows its Services and the hosts of its Ingresses, answers no longer',
      shows: 'the probe that asks it (storefront-web: public-name) fails, while everything that is reached by address is well',
      state: async () => (names.isOpen ? 'whole' : 'broken'),
      break: () => names.close(),
      mend: () => names.open(),
    },
    {
      name: 'api',
      does: 'the API server takes requests and answers none; watches that are open go on',
      shows: 'kubectl hangs; runs and probes of this environment time out, and what cannot be read is unknown, never fine',
      state: async () => (hang.isOn ? 'broken' : 'whole'),
      break: async () => {
        if (!injected) cluster.api.inject({ times: Infinity, answer: 'hang', path: hang })
        injected = true
        hang.isOn = true
      },
      mend: async () => void (hang.isOn = false),
    },
  ]
}

const runsOrders = ({ spec, metadata }: Pod): boolean => metadata.deletionTimestamp === undefined && spec.containers.some(({ image }) => image.startsWith(`${ordersImage}:`))
const created = ({ metadata }: Pod): string => metadata.creationTimestamp ?? ''

/** A fault is asked for by path, and stays: this one matches every path, while it is on. */
class Hang extends RegExp {
  isOn = false

  constructor() {
    super('')
  }

  override test(): boolean {
    return this.isOn
  }
}
