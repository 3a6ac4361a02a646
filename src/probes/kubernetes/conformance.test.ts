import { setTimeout as after } from 'node:timers/promises'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { openCel } from '#lib/cel.ts'
import { kubernetesPlace } from '../../../test/kubernetes-place.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { kubernetes } from './kubernetes.ts'

conformance(kubernetes, async () => {
  const { client, unreachable, namespace, write, stop } = await kubernetesPlace()
  const cel = openCel({ timeoutMs: 1_000 })
  await write({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'settings', namespace, annotations: { copy: canary } }, stringData: { password: canary } })
  const never = { ...client, kind: client.kind.bind(client), get: () => new Promise(() => {}) } as unknown as KubernetesClient
  const slow: KubernetesClient = { ...client, kind: client.kind.bind(client), get: async (...asked) => after(slowMs).then(() => client.get(...asked)) }
  const question = (expression: string, cluster = client) => ({
    clients: { kubernetes: async () => cluster, cel: cel.evaluate },
    config: { target: 'cluster', apiVersion: 'v1', kind: 'Secret', namespace, name: 'settings', cel: expression },
  })
  return {
    passing: question('object.metadata.name == "settings"'),
    failing: question('object.metadata.name == "others"'),
    hanging: question('true', never),
    refusing: { ...question('true'), clients: { kubernetes: async () => unreachable.clients.kubernetes, cel: cel.evaluate } },
    lying: question('object.metadata.annotations.copy == "nothing of the kind"'),
    slow: question('object.metadata.name == "settings"', slow),
    stop: async () => {
      await cel.close()
      await stop()
    },
  }
})
