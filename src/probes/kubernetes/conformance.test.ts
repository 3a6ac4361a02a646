import { connect } from 'node:net'
import { openCel } from '#lib/cel.ts'
import { kubernetesPlace } from '../../../test/kubernetes-place.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { startTcp } from '../testing.ts'
import { kubernetes } from './kubernetes.ts'

conformance(kubernetes, async () => {
  const { client, unreachable, namespace, server, through, write, stop } = await kubernetesPlace()
  const cel = openCel({ timeoutMs: 1_000 })
  await write({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'settings', namespace, annotations: { copy: canary } }, stringData: { password: canary } })
  const silent = await startTcp(() => {})
  // The real one, behind a line that takes its time with each answer.
  const slow = await startTcp((socket) => {
    const behind = connect(Number(server.port), server.hostname).on('error', () => socket.destroy())
    socket.on('close', () => behind.destroy()).pipe(behind)
    behind.on('data', (answer) => void setTimeout(() => socket.write(answer), slowMs))
  })
  const [hanging, late] = await Promise.all([through(silent.port), through(slow.port)])
  const question = (expression: string, cluster = client) => ({
    clients: { kubernetes: async () => cluster, cel: cel.evaluate },
    config: { target: 'cluster', apiVersion: 'v1', kind: 'Secret', namespace, name: 'settings', cel: expression },
  })
  return {
    passing: question('object.metadata.name == "settings"'),
    failing: question('object.metadata.name == "others"'),
    hanging: question('true', hanging),
    refusing: { ...question('true'), clients: { kubernetes: async () => unreachable.clients.kubernetes, cel: cel.evaluate } },
    lying: question('object.metadata.annotations.copy == "nothing of the kind"'),
    slow: question('object.metadata.name == "settings"', late),
    stop: async () => {
      await cel.close()
      await stop()
      await Promise.all([silent.stop(), slow.stop()])
    },
  }
})
