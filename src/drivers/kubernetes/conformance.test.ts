import { desiredOf, kubernetesPlace } from '../../../test/kubernetes-place.ts'
import { conformance } from '../conformance.ts'
import { kubernetes } from './kubernetes.ts'

conformance(kubernetes, async () => {
  const place = await kubernetesPlace()
  const metadata = (name: string) => ({ name, namespace: place.namespace })
  // One of each: a Secret is compared by digests, and must conform all the same.
  const bodies = {
    a: (name: string, value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data: { value, constant: 'c' } }),
    b: (name: string, value: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: metadata(name), stringData: { value, constant: 'c' } }),
  }
  return {
    call: place.call,
    unreachable: place.unreachable,
    desired: (value, round) => [desiredOf(bodies.a(`a-${round}`, value)), desiredOf(bodies.b(`b-${round}`, value))],
    disturb: async (desired) => {
      const { name } = desired.body['metadata'] as { name: string }
      await place.write({ ...bodies.a(name, 'disturbed'), kind: String(desired.body['kind']), data: { value: Buffer.from('disturbed').toString('base64') } })
    },
    ...(place.writes === undefined ? {} : { writes: place.writes }),
    stop: place.stop,
  }
})
