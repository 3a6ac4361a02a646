import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import type { Objects } from '#playground/contract.ts'
import { startApiServer, type Fault, type LoggedRequest } from '#playground/api/api-server.ts'

/** A Kubernetes API for a test. What only an embedded one can do is absent for a real one; a test that needs it is skipped there. */
export type TestCluster = {
  readonly kubeconfig: string
  readonly context: string
  /** The requests so far, oldest first. */
  readonly requests?: () => readonly LoggedRequest[]
  readonly inject?: (fault: Fault) => void
  /** Makes older versions expire, so that a watch from them is 410. */
  readonly compact?: () => void
  /** Its inside, for a test that plays the controllers. */
  readonly objects?: Objects
  stop(): Promise<void>
}

/**
 * The cluster of `PLUMBLINE_TEST_KUBECONFIG` (its current context, or that of `PLUMBLINE_TEST_CONTEXT`), else an embedded API server. Tests make namespaces of
 * their own, with names that do not repeat, and remove them.
 */
export async function testCluster(): Promise<TestCluster> {
  const kubeconfig = process.env['PLUMBLINE_TEST_KUBECONFIG']
  if (kubeconfig !== undefined) {
    const { KubeConfig } = await import('@kubernetes/client-node')
    const config = new KubeConfig()
    config.loadFromFile(kubeconfig)
    return { kubeconfig, context: process.env['PLUMBLINE_TEST_CONTEXT'] ?? config.getCurrentContext(), stop: async () => {} }
  }
  const dir = await mkdtemp(join(tmpdir(), 'plumbline-cluster-'))
  const server = await startApiServer({ dir, port: 0, clock: systemClock, name: 'test' })
  const file = join(dir, 'kubeconfig')
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') } }],
    users: [{ name: 'test', user: { token: server.adminToken } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  await writeFile(file, JSON.stringify(document), { mode: 0o600 })
  return {
    kubeconfig: file,
    context: 'test',
    requests: () => server.requests(),
    inject: (fault) => server.inject(fault),
    compact: () => server.compact(),
    objects: server.objects,
    stop: async () => {
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
