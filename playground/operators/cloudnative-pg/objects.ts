import { randomBytes } from 'node:crypto'
import { keyOf } from '#playground/controllers/controller.ts'
import { claims, pods, secrets, services, type OwnerReference, type Pod } from '#playground/controllers/kinds.ts'
import type { OperatorContext } from '#playground/operators/operator.ts'
import type { PostgresCluster } from './kind.ts'

/* The objects that CloudNativePG makes for a `Cluster`, named and labelled as it does (pkg/specs, pkg/utils/labels_annotations.go). */

/** The field manager that the operator's program writes as. */
export const manager = 'manager'

/** A node that the kubelet leaves alone: the operator itself runs what stands behind its pods. */
const nodeName = 'playground-postgres'

const port = 5432
const selectors = {
  rw: (name: string) => ({ 'cnpg.io/cluster': name, 'cnpg.io/instanceRole': 'primary' }),
  ro: (name: string) => ({ 'cnpg.io/cluster': name, 'cnpg.io/instanceRole': 'replica' }),
  r: (name: string) => ({ 'cnpg.io/cluster': name, 'cnpg.io/podRole': 'instance' }),
}

export const instanceName = (cluster: PostgresCluster, instance: number): string => `${cluster.metadata.name}-${instance}`

export function ownerOf({ apiVersion, kind, metadata: { name, uid } }: PostgresCluster): OwnerReference[] {
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }]
}

export function ensureServices({ objects }: OperatorContext, cluster: PostgresCluster): void {
  const { name, namespace } = cluster.metadata
  for (const [suffix, selector] of Object.entries(selectors)) {
    const at = { name: `${name}-${suffix}`, namespace }
    if (objects.get(services, namespace, at.name) !== undefined) continue
    const labels = { 'cnpg.io/cluster': name, ...recommended(name) }
    objects.create(services, { metadata: { ...at, labels, ownerReferences: ownerOf(cluster) }, spec: { type: 'ClusterIP', selector: selector(name), ports: [{ name: 'postgres', port, targetPort: port, protocol: 'TCP' }] } }, manager)
  }
}

/**
 * Who signs in: the Secret that `bootstrap.initdb.secret` names, or else `<cluster>-app`, which is made with a random password. Undefined while a
 * named one is missing. In one way unlike the real one: there is no cluster DNS here, so `host` and `uri` hold the Service's address.
 */
export function credentialsOf({ objects }: OperatorContext, cluster: PostgresCluster): { user: string; password: string; database: string } | undefined {
  const { name, namespace } = cluster.metadata
  const { database = 'app', owner = database, secret } = cluster.spec.bootstrap?.initdb ?? {}
  const known = objects.get(secrets, namespace, secret?.name ?? `${name}-app`)
  if (known !== undefined) return { database, user: decoded(known.data?.['username']) || owner, password: decoded(known.data?.['password']) }
  if (secret !== undefined) return undefined
  const host = objects.get(services, namespace, `${name}-rw`)?.spec.clusterIP ?? `${name}-rw`
  const password = randomBytes(32).toString('hex')
  const values = {
    username: owner,
    user: owner,
    password,
    dbname: database,
    host,
    port: String(port),
    pgpass: `${host}:${port}:${database}:${owner}:${password}\n`,
    uri: `postgresql://${owner}:${password}@${host}:${port}/${database}`,
    'jdbc-uri': `jdbc:postgresql://${host}:${port}/${database}?password=${password}&user=${owner}`,
  }
  const labels = { 'cnpg.io/cluster': name, 'cnpg.io/reload': 'true', 'cnpg.io/userType': 'app', 'app.kubernetes.io/managed-by': 'cloudnative-pg' }
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  objects.create(secrets, { metadata: { name: `${name}-app`, namespace, labels, ownerReferences: ownerOf(cluster) }, type: 'kubernetes.io/basic-auth', data }, manager)
  return { user: owner, password, database }
}

/** The claim and the pod of one instance. The claim shows what a real one would take; the data is in the playground's folder for databases. */
export function ensureInstance({ objects }: OperatorContext, cluster: PostgresCluster, instance: number): Pod {
  const { namespace } = cluster.metadata
  const name = instanceName(cluster, instance)
  const labels = instanceLabels(cluster, instance)
  const at = { name, namespace, ownerReferences: ownerOf(cluster) }
  if (objects.get(claims, namespace, name) === undefined) {
    const storage = cluster.spec.storage?.size ?? '1Gi'
    objects.create(claims, { metadata: { ...at, labels: { ...labels, 'cnpg.io/pvcRole': 'PG_DATA' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } }, manager)
  }
  const known = objects.get(pods, namespace, name)
  if (known !== undefined) return known
  const image = cluster.spec.imageName ?? ''
  const container = {
    name: 'postgres',
    image,
    ports: [{ name: 'postgresql', containerPort: port }, { name: 'metrics', containerPort: 9187 }, { name: 'status', containerPort: 8000 }],
    volumeMounts: [{ name: 'pgdata', mountPath: '/var/lib/postgresql/data' }],
  }
  const annotations = { 'cnpg.io/nodeSerial': String(instance), 'playground.plumbline.dev/runs': 'a PostgreSQL of this machine, whatever the image says; metrics and status are not served' }
  const spec = { nodeName, hostname: name, containers: [container], volumes: [{ name: 'pgdata', persistentVolumeClaim: { claimName: name } }], terminationGracePeriodSeconds: 1800 }
  return objects.create(pods, { metadata: { ...at, labels, annotations }, spec }, manager)
}

export function podsOfCluster({ objects }: OperatorContext, key: string): Pod[] {
  return objects.list(pods).filter(({ metadata, spec }) => spec.nodeName === nodeName && keyOf({ namespace: metadata.namespace, name: metadata.labels?.['cnpg.io/cluster'] ?? '' }) === key)
}

function instanceLabels(cluster: PostgresCluster, instance: number): Record<string, string> {
  const { name } = cluster.metadata
  const role = instance === 1 ? 'primary' : 'replica'
  return { 'cnpg.io/cluster': name, 'cnpg.io/instanceName': instanceName(cluster, instance), 'cnpg.io/instanceRole': role, 'cnpg.io/podRole': 'instance', role, ...recommended(name) }
}

const recommended = (name: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'postgresql',
  'app.kubernetes.io/instance': name,
  'app.kubernetes.io/component': 'database',
  'app.kubernetes.io/managed-by': 'cloudnative-pg',
})

const decoded = (value: string | undefined): string => Buffer.from(value ?? '', 'base64').toString('utf8')
