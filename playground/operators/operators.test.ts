import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startCluster, type Cluster } from '#playground/cluster.ts'
import { claims, customResourceDefinitions, endpointSlices, pods, secrets, services } from '#playground/controllers/kinds.ts'
import type { Kind } from '#playground/controllers/typed-objects.ts'
import { findPostgres } from '#playground/databases/programs.ts'
import { preparePostgres, type PostgresRuntime } from '#playground/databases/runtime.ts'
import { postgresClusters } from './cloudnative-pg/kind.ts'
import { withDefaults } from './cloudnative-pg/defaults.ts'
import { operators } from './operators.ts'
import { simulatedAnnotation, type Simulated } from './simulated/simulation.ts'

const path = process.env['PATH'] ?? ''
const hasPostgres = findPostgres(path) !== undefined
const at = { name: 'db', namespace: 'default' }

describe('operators', () => {
  let dir: string
  let cluster: Cluster
  let postgres: PostgresRuntime | undefined
  const start = async (): Promise<void> => {
    cluster = await startCluster({ name: 'test', dir: join(dir, 'cluster'), compileCache: join(dir, 'compiled'), postgres, clock: systemClock, log: () => {}, places: cluster?.places ?? { apiPort: 0, ingressPort: 0 } })
  }
  const phase = (name = 'db'): unknown => cluster.objects.get(postgresClusters, 'default', name)?.status?.['phase']
  const secret = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(cluster.objects.get(secrets, 'default', name)?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
  /** Through a Service's address, as an application would. */
  const ask = async (service: string, text: string): Promise<unknown> => {
    const { user, password, dbname } = secret('db-app')
    const host = cluster.objects.get(services, 'default', service)?.spec.clusterIP ?? ''
    const client = new Client({ host, port: 5432, user: user ?? '', password: password ?? '', database: dbname ?? '', connectionTimeoutMillis: 3_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return Object.values((await client.query<Record<string, unknown>>(text)).rows[0] ?? {})[0]
    } finally {
      await client.end()
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-operators-'))
    postgres = await preparePostgres(dir, path, () => {})
    await start()
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('their definitions are established, and a restart writes none of them again', async () => {
    const versions = (): (string | undefined)[] => operators.map(({ definition }) => cluster.objects.get(customResourceDefinitions, '', definition.metadata.name)?.metadata.resourceVersion)
    const before = versions()
    expect(before.every((version) => version !== undefined)).toBe(true)
    await cluster.stop()
    await start()
    expect(versions()).toEqual(before)
  })

  describe.skipIf(!hasPostgres)('a CloudNativePG Cluster (skipped where there is no PostgreSQL)', () => {
    test('becomes a real PostgreSQL, which an application reaches by its Service and Secret', async () => {
      cluster.objects.create(postgresClusters, { metadata: at, spec: { instances: 1, storage: { size: '1Gi' } } }, 'test')
      await until(() => phase() === 'Cluster in healthy state')
      expect(cluster.objects.get(pods, 'default', 'db-1')).toMatchObject({ metadata: { labels: { 'cnpg.io/cluster': 'db', 'cnpg.io/instanceRole': 'primary' } }, status: { phase: 'Running' } })
      expect(cluster.objects.get(claims, 'default', 'db-1')?.metadata.labels).toMatchObject({ 'cnpg.io/pvcRole': 'PG_DATA' })
      expect(Object.keys(secret('db-app')).sort()).toEqual(['dbname', 'host', 'jdbc-uri', 'password', 'pgpass', 'port', 'uri', 'user', 'username'])
      await until(async () => (await ask('db-rw', 'select current_database()')) === 'app')
      await ask('db-rw', 'create table kept (n int)')
      await ask('db-rw', 'insert into kept values (1)')
      const client = new Client({ connectionString: secret('db-app')['uri'] })
      await client.connect()
      await client.end()
    })

    test('has in its spec what nobody asked for, written by the operator’s own manager', () => {
      const live = cluster.objects.get(postgresClusters, 'default', 'db')
      expect(live?.spec).toMatchObject({
        bootstrap: { initdb: { database: 'app', owner: 'app', encoding: 'UTF8' } },
        imageName: expect.stringMatching(/^ghcr\.io\/cloudnative-pg\/postgresql:/),
        postgresql: { parameters: { wal_level: 'logical' } },
        primaryUpdateMethod: 'restart',
        storage: { resizeInUseVolumes: true },
      })
      const entries = live === undefined ? [] : (live.metadata as unknown as { managedFields: { manager: string; operation: string; subresource?: string }[] }).managedFields
      expect(entries).toContainEqual(expect.objectContaining({ manager: 'manager', operation: 'Update' }))
      expect(entries).toContainEqual(expect.objectContaining({ manager: 'manager', operation: 'Update', subresource: 'status' }))
      expect(live?.status).toMatchObject({ readyInstances: 1, currentPrimary: 'db-1', writeService: 'db-rw', timelineID: 1, instancesStatus: { healthy: ['db-1'] }, conditions: [{ type: 'Ready', status: 'True', reason: 'ClusterIsReady' }] })
    })

    test('with nothing to do writes nothing', async () => {
      const version = (): string | undefined => cluster.objects.get(postgresClusters, 'default', 'db')?.metadata.resourceVersion
      const before = version()
      await new Promise((resolve) => setTimeout(resolve, 2_500)) // it looks again after 2 s
      expect(version()).toBe(before)
    })

    test('takes a second instance, which streams from the first and serves the read-only Service', async () => {
      cluster.objects.edit(postgresClusters, at, 'object', 'test', (object) => void (object.spec.instances = 2))
      await until(() => cluster.objects.get(postgresClusters, 'default', 'db')?.status?.['readyInstances'] === 2)
      await until(() => cluster.objects.list(endpointSlices, 'default').some(({ metadata, endpoints }) => metadata.labels?.['kubernetes.io/service-name'] === 'db-ro' && endpoints?.[0]?.conditions.ready === true))
      await until(async () => (await ask('db-ro', 'select n from kept')) === 1)
      expect(await ask('db-ro', 'select pg_is_in_recovery()')).toBe(true)
      expect(await ask('db-rw', 'select pg_is_in_recovery()')).toBe(false)
    })

    test('comes back with its data after a restart, and after its pod was deleted', async () => {
      const made = (): (string | undefined)[] => [cluster.objects.get(secrets, 'default', 'db-app'), cluster.objects.get(pods, 'default', 'db-1')].map((object) => object?.metadata.uid)
      const before = made()
      await cluster.stop()
      await start()
      await until(async () => (await ask('db-rw', 'select n from kept')) === 1)
      expect(made()).toEqual(before) // not garbage, though their owner's kind is somebody else's
      const first = cluster.objects.get(pods, 'default', 'db-1')?.metadata
      cluster.objects.delete(pods, first ?? at)
      await until(() => {
        const now = cluster.objects.get(pods, 'default', 'db-1')
        return now !== undefined && now.metadata.uid !== first?.uid && phase() === 'Cluster in healthy state'
      })
      await until(async () => (await ask('db-rw', 'select n from kept')) === 1)
    })

    test('follows its Secret when the password changes', async () => {
      cluster.objects.edit(secrets, { name: 'db-app', namespace: 'default' }, 'object', 'test', (object) => {
        object.data = { ...object.data, password: Buffer.from("it's new").toString('base64') }
      })
      await until(async () => (await ask('db-rw', 'select n from kept')) === 1)
      expect(secret('db-app')['password']).toBe("it's new")
    })

    test('gives up its second instance, and goes with all that it made', async () => {
      cluster.objects.edit(postgresClusters, at, 'object', 'test', (object) => void (object.spec.instances = 1))
      await until(() => cluster.objects.get(pods, 'default', 'db-2') === undefined && phase() === 'Cluster in healthy state')
      cluster.objects.delete(postgresClusters, at)
      await until(() => cluster.objects.list(pods, 'default').length + cluster.objects.list(claims, 'default').length === 0)
      await until(() => cluster.objects.get(secrets, 'default', 'db-app') === undefined && cluster.objects.get(services, 'default', 'db-rw') === undefined)
      await until(() => readdirSync(postgres?.dir ?? '').every((name) => !name.startsWith('test-')))
      expect(cluster.objects.get(postgresClusters, 'default', 'db')).toBeUndefined()
    })

    test('with a Secret of its own waits for it, and three instances are told to be too many', async () => {
      cluster.objects.create(postgresClusters, { metadata: { name: 'own', namespace: 'default' }, spec: { instances: 3, bootstrap: { initdb: { database: 'shop', owner: 'shop', secret: { name: 'mine' } } } } }, 'test')
      await until(() => String(cluster.objects.get(postgresClusters, 'default', 'own')?.status?.['phaseReason']).includes('mine'))
      cluster.objects.create(secrets, { metadata: { name: 'mine', namespace: 'default' }, data: { username: Buffer.from('shop').toString('base64'), password: Buffer.from('pass').toString('base64') } }, 'test')
      await until(() => cluster.objects.get(postgresClusters, 'default', 'own')?.status?.['readyInstances'] === 2)
      expect(phase('own')).not.toBe('Cluster in healthy state')
      cluster.objects.delete(postgresClusters, { name: 'own', namespace: 'default' })
      await until(() => cluster.objects.list(pods, 'default').length === 0)
    })
  })

  test('CloudNativePG’s defaults leave what the user said, and are written once', () => {
    const spec = withDefaults({ instances: 1, bootstrap: { initdb: { database: 'shop' } }, postgresql: { parameters: { max_worker_processes: '8' } } })
    expect(spec).toMatchObject({ bootstrap: { initdb: { database: 'shop', owner: 'shop' } }, postgresql: { parameters: { max_worker_processes: '8', wal_level: 'logical' } } })
    expect(withDefaults(spec)).toEqual(spec)
  })

  const simulated = [
    {
      kind: { group: 'acid.zalan.do', version: 'v1', apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', plural: 'postgresqls', namespaced: true } as Kind<Simulated>,
      spec: { teamId: 'orders', numberOfInstances: 2, postgresql: { version: '17' }, volume: { size: '1Gi' }, sidecars: [{ name: 'exporter', image: 'exporter:1', ports: [{ containerPort: 9187 }] }] },
      first: { PostgresClusterStatus: 'Creating' },
      last: { PostgresClusterStatus: 'Running' },
      writes: { sidecars: [{ ports: [{ containerPort: 9187, protocol: 'TCP' }] }] },
    },
    {
      kind: { group: 'kafka.strimzi.io', version: 'v1beta2', apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'Kafka', plural: 'kafkas', namespaced: true } as Kind<Simulated>,
      spec: { kafka: { replicas: 3, version: '3.9.0', listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }] } },
      first: { conditions: [{ type: 'NotReady', status: 'True' }], observedGeneration: 1 },
      last: { conditions: [{ type: 'Ready', status: 'True' }], kafkaVersion: '3.9.0', kafkaMetadataState: 'KRaft', listeners: [{ name: 'plain', bootstrapServers: 'db-kafka-bootstrap.default.svc:9092' }] },
      writes: {},
    },
    {
      kind: { group: 'elasticsearch.k8s.elastic.co', version: 'v1', apiVersion: 'elasticsearch.k8s.elastic.co/v1', kind: 'Elasticsearch', plural: 'elasticsearches', namespaced: true } as Kind<Simulated>,
      spec: { version: '8.17.0', nodeSets: [{ name: 'default', count: 3 }], http: { tls: { selfSignedCertificate: { disabled: true } } } },
      first: { phase: 'ApplyingChanges', health: 'unknown' },
      last: { phase: 'Ready', health: 'green', availableNodes: 3, version: '8.17.0' },
      writes: { auth: {}, updateStrategy: { changeBudget: {} }, http: { service: { spec: {} }, tls: { certificate: {}, selfSignedCertificate: { disabled: true } } } },
    },
  ]

  test.each(simulated)('$kind.kind is a simulation: it says so, and goes through its states by a script', async ({ kind, spec, first, last, writes }) => {
    const live = (): Simulated | undefined => cluster.objects.get(kind, 'default', 'db')
    const before = cluster.objects.list(pods, 'default').length
    cluster.objects.create(kind, { metadata: at, spec }, 'test')
    await until(() => live()?.status !== undefined)
    expect(live()?.status).toMatchObject(first)
    await until(() => matches(live()?.status, last))
    expect(live()?.metadata.annotations?.[simulatedAnnotation]).toMatch(/does not run/)
    expect(live()?.spec).toMatchObject(writes)
    expect(cluster.objects.list(pods, 'default')).toHaveLength(before)
    const version = live()?.metadata.resourceVersion
    await cluster.stop()
    await start()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(live()?.metadata.resourceVersion).toBe(version)
  })

  test('Zalando’s operator writes its finalizer, and when a major upgrade was made, as itself, and lets what is deleted go', async () => {
    const { kind } = simulated[0] as (typeof simulated)[number]
    const live = (): Simulated | undefined => cluster.objects.get(kind, 'default', 'db') // as the test before left it
    expect(live()?.metadata).toMatchObject({ finalizers: ['postgres-operator.acid.zalan.do'] })
    expect(live()?.metadata.annotations).not.toHaveProperty('last-major-upgrade-success')
    cluster.objects.edit(kind, at, 'object', 'test', (object) => void (object.spec['postgresql'] = { version: '18' }))
    await until(() => live()?.metadata.annotations?.['last-major-upgrade-success'] !== undefined)
    const { managedFields } = (live() as Simulated).metadata as unknown as { managedFields: { manager: string; fieldsV1: { 'f:spec'?: object }; subresource?: string }[] }
    const own = managedFields.find(({ manager, subresource }) => manager === 'postgres-operator' && subresource === undefined)
    expect(own?.fieldsV1).toMatchObject({ 'f:metadata': { 'f:annotations': { 'f:last-major-upgrade-success': {} }, 'f:finalizers': {} } })
    expect(own?.fieldsV1['f:spec']).toBeUndefined()
    cluster.objects.delete(kind, at)
    await until(() => live() === undefined)
  })
})

function matches(value: unknown, part: object): boolean {
  try {
    expect(value).toMatchObject(part)
    return true
  } catch {
    return false
  }
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 25))) {
    if (await (async () => what())().catch(() => false)) return
    if (Date.now() > end) throw new Error(`not within 20 s: ${what.toString()}`)
  }
}
