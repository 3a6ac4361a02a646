import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import { type ApiServer, startApiServer } from './api/api-server.ts'
import { AuditFile } from './api/audit/audit-file.ts'
import type { AuditPolicy } from './api/audit/audit-policy.ts'
import { AuditWebhook, type AuditWebhookOptions } from './api/audit/audit-webhook.ts'
import { startControllers } from './controllers/controllers.ts'
import { services } from './controllers/kinds.ts'
import { typedObjects, type TypedObjects } from './controllers/typed-objects.ts'
import type { PostgresRuntime } from './databases/runtime.ts'
import { claimAddresses, keptPort } from './network/addresses.ts'
import { startIngress, type IngressController } from './network/ingress.ts'
import { type NameServer, startNameServer } from './network/name-server.ts'
import { startServiceProxy } from './network/service-proxy.ts'
import { startOperators } from './operators/operators.ts'
import { claimFolders } from './pods/claim-folders.ts'
import { ImageRegistry } from './pods/image-registry.ts'
import { startKubelet } from './pods/kubelet.ts'
import { podLogs } from './pods/pod-logs.ts'

export type ClusterOptions = {
  readonly name: string
  /** Everything of this cluster: the API's journal, volumes, the pods' private folders. */
  readonly dir: string
  readonly clock: Clock
  readonly log: (line: string) => void
  /** Shared by all clusters: see `KubeletContext`. */
  readonly compileCache: string
  /** Undefined where PostgreSQL cannot be run. */
  readonly postgres?: PostgresRuntime | undefined
  /** `writes` and the file alone, where it is not given. */
  readonly audit?: { readonly policy?: AuditPolicy; readonly webhook?: AuditWebhookOptions }
  /** What it had before, to have it again; 0 and undefined for any. */
  readonly places: ClusterPlaces
}

export type ClusterPlaces = { readonly apiPort: number; readonly ingressPort: number; readonly block?: string }

export type Cluster = {
  readonly name: string
  readonly api: ApiServer
  /** For tests: the cluster's objects, without HTTP. */
  readonly objects: TypedObjects
  /** The file of audit events: a line of JSON each (`audit.k8s.io/v1`), with older files beside it. See `api/audit/README.md`. */
  readonly auditLog: string
  /** Posts audit events there too, from now on. Returns what ends it. Throws where it is not on loopback. */
  auditTo(webhook: AuditWebhookOptions): () => Promise<void>
  readonly ingressUrl: string
  readonly ingress: Pick<IngressController, 'isOpen' | 'close' | 'open'>
  readonly names: Pick<NameServer, 'address' | 'isOpen' | 'close' | 'open'>
  readonly images: ImageRegistry
  /** Pods that wait for something look again: for an image that is there again. */
  pokePods(): void
  readonly places: Required<ClusterPlaces>
  stop(): Promise<void>
}

/** One cluster: API server, controllers, a node whose pods are processes, and a network. Failures: those of its parts. */
export async function startCluster({ name, dir, clock, log, compileCache, postgres, audit, places }: ClusterOptions): Promise<Cluster> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const tell = (line: string): void => log(`${name}: ${line}`)
  const stops: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end()
  }
  try {
    const addresses = await claimAddresses(places.block)
    stops.push(() => addresses.close())
    if (addresses.mode === 'one-address') tell('only 127.0.0.1 can be bound here: pod and Service addresses are names, carried on free ports of 127.0.0.1')
    let objects: TypedObjects | undefined
    let logs: ReturnType<typeof podLogs> | undefined
    const assignClusterIP = (): string => addresses.nextServiceIp(new Set(objects?.list(services).map(({ spec }) => spec.clusterIP ?? '')))
    const reach = (...at: Parameters<typeof addresses.reach>): ReturnType<typeof addresses.reach> => addresses.reach(...at)
    const options = { dir: join(dir, 'api'), clock, name, assignClusterIP, reach, logs: (...asked: Parameters<ReturnType<typeof podLogs>>) => logs?.(...asked) }
    const api = await startApi({ ...options, ...(audit?.policy === undefined ? {} : { auditPolicy: audit.policy }) }, places.apiPort === 0 ? await keptPort() : places.apiPort)
    stops.push(() => api.stop())
    const auditLog = join(dir, 'audit.log')
    api.auditTo(new AuditFile({ path: auditLog, clock, log: tell }))
    const auditTo = (webhook: AuditWebhookOptions): (() => Promise<void>) => api.auditTo(new AuditWebhook(webhook, clock, tell))
    if (audit?.webhook !== undefined) auditTo(audit.webhook)
    objects = typedObjects(api.objects)
    const context = { objects, clock, log: tell }
    stops.push(startControllers({ ...context, objects: typedObjects(api.controllersObjects) }, api.ca))
    stops.push(startServiceProxy(context, addresses))
    const ingress = await startIngress(context, addresses, places.ingressPort === 0 ? await keptPort() : places.ingressPort)
    stops.push(() => ingress.stop())
    const names = await startNameServer(context, ingress.port)
    stops.push(() => names.stop())
    const folders = claimFolders(objects, join(dir, 'volumes'))
    stops.push(folders.stop)
    const images = new ImageRegistry()
    const kubelet = startKubelet({ ...context, addresses, nodeName: 'playground', images, dir: join(dir, 'node'), compileCache, claimDir: folders.of })
    logs = podLogs(kubelet)
    stops.push(() => kubelet.stop())
    stops.push(startOperators({ ...context, cluster: name, addresses, postgres }))
    for (let round = 0; round < 4; round += 1) await turn() // the controllers take in that no pod runs yet
    const taken = { apiPort: api.port, ingressPort: ingress.port, block: addresses.block }
    return { name, api, objects, auditLog, auditTo, ingressUrl: `http://127.0.0.1:${ingress.port}`, ingress, names, images, pokePods: kubelet.poke, places: taken, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Its port is written nowhere but in our own kubeconfig: where the old one is taken, another will do. */
async function startApi(options: Omit<Parameters<typeof startApiServer>[0], 'port'>, port: number): Promise<ApiServer> {
  try {
    return await startApiServer({ ...options, port })
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return startApiServer({ ...options, port: 0 })
  }
}
