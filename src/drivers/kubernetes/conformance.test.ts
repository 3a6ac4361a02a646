import { desiredOf, kubernetesPlace } from '../../../test/kubernetes-place.ts'
import { conformance } from '../conformance.ts'
import { kubernetes } from './kubernetes.ts'

conformance(kubernetes, async () => {
  const place = await kubernetesPlace()
  const configMap = (name: string, value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { value, constant: 'c' } })
  return {
    call: place.call,
    unreachable: place.unreachable,
    desired: (value, round) => ['a', 'b'].map((name) => desiredOf(configMap(`${name}-${round}`, value))),
    disturb: async (desired) => {
      const { name } = desired.body['metadata'] as { name: string }
      await place.write(configMap(name, 'disturbed'))
    },
    ...(place.writes === undefined ? {} : { writes: place.writes }),
    stop: place.stop,
  }
})
