import { keyOf, placeOf, timestamp } from '#playground/controllers/controller.ts'
import { claims, pods, secrets, type Pod } from '#playground/controllers/kinds.ts'
import { ReconcileQueue } from '#playground/controllers/queue.ts'
import { recordEvent } from '#playground/controllers/record-event.ts'
import type { Operator, OperatorContext } from '#playground/operators/operator.ts'
import { withDefaults } from './defaults.ts'
import { definition } from './definition.ts'
import { postgresClusters, type PostgresCluster } from './kind.ts'
import { credentialsOf, ensureInstance, ensureServices, instanceName, manager, podsOfCluster } from './objects.ts'
import { ClusterServers } from './servers.ts'
import { instanceStatus, statusOf } from './status.ts'

const againMs = 2_000 // a server may end by itself
const mostInstances = 2

/** CloudNativePG, as far as it goes here: each `Cluster` is a real PostgreSQL primary, with one replica that streams from it where two instances are asked for. */
export const cloudNativePg: Operator = { definition, start: (context) => new CloudNativePg(context).start() }

class CloudNativePg {
  readonly #context: OperatorContext
  readonly #queue: ReconcileQueue
  /** By the Cluster's key; a Cluster that was made anew has another uid. */
  readonly #servers = new Map<string, { readonly uid: string; readonly servers: ClusterServers }>()
  /** What was told last of each Cluster: it is looked at every two seconds. */
  readonly #told = new Map<string, string>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(context: OperatorContext) {
    this.#context = context
    const failed = (key: string, error: unknown): void => context.log(`cloudnative-pg: ${key}: ${error instanceof Error ? error.message : String(error)}`)
    this.#queue = new ReconcileQueue(context.clock, (key) => this.#reconcile(key), failed)
  }

  start(): () => Promise<void> {
    const { objects } = this.#context
    const ends = [
      objects.watch(postgresClusters, ({ object }) => this.#queue.add(keyOf(object.metadata))),
      objects.watch(pods, ({ object: { metadata } }) => {
        const cluster = metadata.labels?.['cnpg.io/cluster']
        if (cluster !== undefined) this.#queue.add(keyOf({ namespace: metadata.namespace, name: cluster }))
      }),
    ]
    return async () => {
      for (const end of ends) end()
      this.#queue.stop()
      await Promise.all([...this.#leaving, ...[...this.#servers.values()].map(({ servers }) => servers.stop())])
    }
  }

  #reconcile(key: string): number | undefined {
    const { objects } = this.#context
    const { namespace, name } = placeOf(key)
    const found = objects.get(postgresClusters, namespace, name)
    const known = this.#servers.get(key)
    if (known !== undefined && known.uid !== found?.metadata.uid) this.#drop(key, known.servers)
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
      if (found !== undefined && known?.uid === found.metadata.uid) this.#drop(key, known.servers)
      for (const pod of podsOfCluster(this.#context, key)) if (pod.metadata.deletionTimestamp !== undefined) objects.delete(pods, pod.metadata, 0)
      return undefined
    }
    const cluster = objects.edit(postgresClusters, found.metadata, 'object', manager, (object) => {
      object.spec = withDefaults(object.spec)
    })
    return cluster === undefined ? undefined : this.#bringAbout(key, cluster)
  }

  #bringAbout(key: string, cluster: PostgresCluster): number {
    const instances = Math.min(cluster.spec.instances, mostInstances) as 1 | 2
    if (cluster.spec.instances > mostInstances) this.#tell(cluster, 'TooManyInstances', `The playground runs ${mostInstances} of ${cluster.spec.instances} instances`)
    ensureServices(this.#context, cluster)
    const credentials = credentialsOf(this.#context, cluster)
    const servers = this.#serversOf(key, cluster)
    if (servers === undefined || credentials === undefined) {
      const problem = servers === undefined ? 'PostgreSQL cannot be run on this machine' : `the Secret ${cluster.spec.bootstrap?.initdb?.secret?.name} is not there`
      this.#tell(cluster, 'CannotCreatePrimary', problem)
      this.#write(cluster, undefined, problem)
      return againMs
    }
    servers.want({ instances, database: credentials.database, owner: credentials.user, password: credentials.password })
    if (servers.problem !== undefined) this.#tell(cluster, 'InstanceFailed', servers.problem)
    for (const [index, ip] of servers.ips.entries()) this.#showInstance(cluster, servers, index + 1, ip)
    this.#removeSurplus(cluster, servers)
    this.#write(cluster, servers, servers.problem)
    return againMs
  }

  #serversOf(key: string, { metadata }: PostgresCluster): ClusterServers | undefined {
    const known = this.#servers.get(key)
    if (known !== undefined) return known.servers
    const { postgres } = this.#context
    if (postgres === undefined) return undefined
    const servers = new ClusterServers(this.#context, postgres, metadata.uid, () => this.#queue.add(key))
    this.#servers.set(key, { uid: metadata.uid, servers })
    return servers
  }

  /** A pod that was deleted ends with its server; the next look makes both again. There is no failover. */
  #showInstance(cluster: PostgresCluster, servers: ClusterServers, instance: number, ip: string): void {
    const { objects, clock } = this.#context
    const pod = ensureInstance(this.#context, cluster, instance)
    if (pod.metadata.deletionTimestamp !== undefined) return servers.restart(instance, () => objects.delete(pods, pod.metadata, 0))
    objects.edit(pods, pod.metadata, 'status', 'kubelet', (object) => {
      object.status = instanceStatus(object, ip, servers.isReady(instance), timestamp(clock.now()))
    })
  }

  #removeSurplus(cluster: PostgresCluster, servers: ClusterServers): void {
    const { objects } = this.#context
    const { namespace } = cluster.metadata
    for (let instance = servers.ips.length + 1; instance <= mostInstances; instance += 1) {
      const name = instanceName(cluster, instance)
      const pod: Pod | undefined = objects.get(pods, namespace, name)
      if (pod !== undefined && cluster.spec.instances < instance) {
        objects.delete(pods, pod.metadata, 0)
        objects.delete(claims, { namespace, name })
      }
    }
  }

  #write(cluster: PostgresCluster, servers: ClusterServers | undefined, problem: string | undefined): void {
    const { objects, clock } = this.#context
    const { name, namespace } = cluster.metadata
    const instances = (servers?.ips ?? []).map((ip, index) => ({ name: instanceName(cluster, index + 1), ip, ready: servers?.isReady(index + 1) === true }))
    const secretVersion = objects.get(secrets, namespace, cluster.spec.bootstrap?.initdb?.secret?.name ?? `${name}-app`)?.metadata.resourceVersion
    objects.edit(postgresClusters, cluster.metadata, 'status', manager, (object) => {
      const seen = { cluster: name, wanted: cluster.spec.instances, image: cluster.spec.imageName ?? '', instances, timeline: servers?.timeline, problem, secretVersion, time: timestamp(clock.now()) }
      object.status = statusOf(object.status, seen)
    })
  }

  #tell(cluster: PostgresCluster, reason: string, message: string): void {
    if (this.#told.get(cluster.metadata.uid) === message) return
    this.#told.set(cluster.metadata.uid, message)
    recordEvent(this.#context, { about: cluster, type: 'Warning', reason, message, component: 'cloudnative-pg' })
  }

  #drop(key: string, servers: ClusterServers): void {
    this.#servers.delete(key)
    const gone = servers.destroy().catch((error: unknown) => this.#context.log(`cloudnative-pg: ${key}: ${String(error)}`))
    this.#leaving.add(gone)
    void gone.finally(() => this.#leaving.delete(gone))
  }
}
