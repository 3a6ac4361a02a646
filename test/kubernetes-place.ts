import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import type { KubernetesClient, ServedKind } from '#clients/kubernetes/client.ts'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import type { DriverCall } from '#drivers/driver.ts'
import { systemClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { keyOf, type Desired } from '#model/resource.ts'
import { testCluster, type TestCluster } from './cluster.ts'

/** A cluster, an open client, and a namespace that is a test file's own. */
export type KubernetesPlace = {
  readonly cluster: TestCluster
  readonly client: KubernetesClient
  readonly call: DriverCall
  /** A client of the same context, at a port where nobody listens. */
  readonly unreachable: DriverCall
  readonly namespace: string
  readonly server: URL
  /** A client of the same cluster that goes through this port of the loopback. */
  through(port: number): Promise<KubernetesClient>
  kind(apiVersion: string, kind: string): Promise<ServedKind>
  /** Writes as somebody else does, taking what it needs. */
  write(body: JsonObject, manager?: string): Promise<JsonObject>
  read(body: JsonObject): Promise<JsonObject | undefined>
  /** The writes that were carried out, where the cluster can tell. */
  readonly writes?: () => number
  stop(): Promise<void>
}

const never = new AbortController().signal

export async function kubernetesPlace(): Promise<KubernetesPlace> {
  const cluster = await testCluster()
  const open = (kubeconfig: string): Promise<KubernetesClient> => openKubernetes({ kubeconfig, context: cluster.context, clock: systemClock })
  const client = await open(cluster.kubeconfig)
  const others: { readonly close: () => Promise<unknown> }[] = []
  const through = async (port: number): Promise<KubernetesClient> => {
    const { kubeconfig, remove } = await throughPort(cluster, port)
    const other = await open(kubeconfig)
    others.push({ close: () => Promise.all([other.close(), remove()]) })
    return other
  }
  const namespace = `plumbline-test-${randomBytes(4).toString('hex')}`
  const kind = async (apiVersion: string, name: string): Promise<ServedKind> => {
    const served = await client.kind(apiVersion, name, never)
    if (served === undefined) throw new Error(`${apiVersion} ${name} is not served`)
    return served
  }
  const kindOf = (body: JsonObject): Promise<ServedKind> => kind(String(body['apiVersion']), String(body['kind']))
  const call = (kubernetes: KubernetesClient): DriverCall => ({
    clients: { kubernetes },
    clock: systemClock,
    signal: never,
    assertLease: async () => {},
    secretDigest: (value) => `hmac:${createHmac('sha256', 'test').update(value).digest('hex')}`,
  })
  const write = async (body: JsonObject, manager = 'somebody'): Promise<JsonObject> => (await client.apply(await kindOf(body), body, { manager, force: true, dryRun: false }, never)).object
  await write({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  return {
    cluster,
    client,
    call: call(client),
    unreachable: call(await through(9)),
    namespace,
    server: serverOf(cluster),
    through,
    kind,
    write,
    read: async (body) => {
      const { namespace: within = '', name } = body['metadata'] as { namespace?: string; name: string }
      return client.get(await kindOf(body), within, name, never)
    },
    ...(cluster.requests === undefined ? {} : { writes: () => (cluster.requests?.() ?? []).filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun=All')).length }),
    stop: async () => {
      const namespaces = await kind('v1', 'Namespace')
      const live = await client.get(namespaces, '', namespace, never)
      const uid = (live?.['metadata'] as { uid?: string } | undefined)?.uid
      if (uid !== undefined) await client.delete(namespaces, '', namespace, { uid, propagation: 'Background', dryRun: false }, never)
      await Promise.all([client.close(), ...others.map((other) => other.close())])
      await cluster.stop()
    },
  }
}

/** A desired object, as a rendered manifest gives it. */
export function desiredOf(body: JsonObject): Desired {
  const { namespace = '', name } = body['metadata'] as { namespace?: string; name: string }
  const apiVersion = String(body['apiVersion'])
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return { key: keyOf({ group, kind: String(body['kind']), namespace, name }), body, origin: { repository: 'test', file: 'test.yaml', line: 1 } }
}

function serverOf({ kubeconfig, context }: TestCluster): URL {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  config.setCurrentContext(context)
  return new URL(config.getCurrentCluster()?.server ?? '')
}

/** A kubeconfig that leads to the cluster through another port of the loopback. */
async function throughPort(cluster: TestCluster, port: number): Promise<{ kubeconfig: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-through-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  config.clusters = config.clusters.map((one) => {
    const { hostname } = new URL(one.server)
    return { ...one, server: `https://127.0.0.1:${port}`, ...(isIP(hostname) === 0 ? { tlsServerName: hostname } : {}) }
  })
  await writeFile(kubeconfig, config.exportConfig(), { mode: 0o600 })
  return { kubeconfig, remove: () => rm(folder, { recursive: true, force: true }) }
}
