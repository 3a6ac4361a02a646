import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesObject, Objects, Resource, WatchEvent } from '#playground/contract.ts'
import { ApiError } from '../status.ts'
import { type Ask, type TestServer, testServer } from '../testing.ts'

let running: TestServer
let objects: Objects
let ask: Ask
beforeAll(async () => {
  running = await testServer()
  ;({ ask } = running)
  ;({ objects } = running.server)
})
afterAll(() => running.end())

const core = (plural: string): Resource => ({ group: '', version: 'v1', plural })
const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments' }
const container = { name: 'main', image: 'app:1' }
const deployment = (name: string): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [container] } } },
})
const core1 = (kind: string, name: string, more: Partial<KubernetesObject> = {}): KubernetesObject => ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, ...more })
const refusal = (call: () => unknown): ApiError => {
  try {
    call()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('the server in its own process', () => {
  test('what is created is defaulted, owned and seen by HTTP', async () => {
    const made = objects.create(deployments, deployment('made'), 'controller')
    expect(made).toMatchObject({ metadata: { generation: 1, managedFields: [{ manager: 'controller', operation: 'Update' }] }, spec: { replicas: 1, strategy: { type: 'RollingUpdate' } } })
    expect((await ask('GET', '/apis/apps/v1/namespaces/default/deployments/made')).body).toEqual(made)
    expect(refusal(() => objects.create(deployments, deployment('made'), 'controller')).reason).toBe('AlreadyExists')
  })

  test('an edit that changes nothing writes nothing', () => {
    const before = objects.create(deployments, deployment('same'), 'controller')
    expect(objects.edit(deployments, 'default', 'same', 'object', 'other', () => {})).toBe(objects.get(deployments, 'default', 'same'))
    expect(objects.get(deployments, 'default', 'same')?.metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    expect(objects.edit(deployments, 'default', 'missing', 'object', 'other', () => {})).toBeUndefined()
  })

  test('each part is changed by itself: status, scale, and the object without its status', () => {
    objects.create(deployments, deployment('parts'), 'controller')
    const all = (object: KubernetesObject): void => {
      object.status = { replicas: 3 }
      object.metadata.labels = { a: 'b' }
      ;(object.spec as { replicas: number }).replicas = 4
    }
    expect(objects.edit(deployments, 'default', 'parts', 'status', 'one', all)).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 1 }, status: { replicas: 3 } })
    expect(objects.get(deployments, 'default', 'parts')?.metadata.labels).toBeUndefined()
    const scaled = objects.edit(deployments, 'default', 'parts', 'scale', 'autoscaler', all)
    expect(scaled).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 4 } })
    expect(scaled?.metadata.labels).toBeUndefined()
    const edited = objects.edit(deployments, 'default', 'parts', 'object', 'two', (object) => {
      all(object)
      object.status = { replicas: 9 }
    })
    expect(edited).toMatchObject({ metadata: { labels: { a: 'b' } }, status: { replicas: 3 } })
  })

  test('a watch sees what is there at once, and then what happens, in order', () => {
    const seen: string[] = []
    const show = ({ type, object }: WatchEvent): number => seen.push(`${type} ${String(object.metadata.name)}`)
    objects.create(core('configmaps'), core1('ConfigMap', 'w1'), 'x')
    const stop = objects.watch(core('configmaps'), show)
    expect(seen).toContain('ADDED w1')
    seen.length = 0
    objects.create(core('configmaps'), core1('ConfigMap', 'w2'), 'x')
    objects.edit(core('configmaps'), 'default', 'w2', 'object', 'x', (object) => (object.data = { a: 'b' }))
    objects.delete(core('configmaps'), 'default', 'w2')
    stop()
    objects.delete(core('configmaps'), 'default', 'w1')
    expect(seen).toEqual(['ADDED w2', 'MODIFIED w2', 'DELETED w2'])
  })

  test('a delete of what is gone, or of another uid, does nothing', () => {
    objects.create(core('configmaps'), core1('ConfigMap', 'kept'), 'x')
    objects.delete(core('configmaps'), 'default', 'kept', '00000000-0000-0000-0000-000000000000')
    objects.delete(core('configmaps'), 'default', 'never')
    expect(objects.get(core('configmaps'), 'default', 'kept')).toBeDefined()
  })
})

describe('what built-in kinds do', () => {
  test('a pod on a node ends gracefully, and goes when its kubelet says so', async () => {
    objects.create(core('pods'), core1('Pod', 'running', { spec: { containers: [container] } }), 'x')
    objects.edit(core('pods'), 'default', 'running', 'object', 'scheduler', (pod) => {
      ;(pod.spec as { nodeName: string }).nodeName = 'node'
    })
    const answer = await ask('DELETE', '/api/v1/namespaces/default/pods/running')
    expect(answer.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 })
    objects.delete(core('pods'), 'default', 'running', undefined, undefined, 0)
    expect(objects.get(core('pods'), 'default', 'running')).toBeUndefined()
    objects.create(core('pods'), core1('Pod', 'waiting', { spec: { containers: [container] } }), 'x')
    objects.delete(core('pods'), 'default', 'waiting')
    expect(objects.get(core('pods'), 'default', 'waiting')).toBeUndefined()
  })

  test('a namespace ends when it is let go of, and takes nothing new meanwhile', async () => {
    objects.create(core('namespaces'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } }, 'x')
    expect((await ask('DELETE', '/api/v1/namespaces/ending')).body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } })
    const late = refusal(() => objects.create(core('configmaps'), { ...core1('ConfigMap', 'late'), metadata: { name: 'late', namespace: 'ending' } }, 'x'))
    expect([late.code, late.status.details]).toMatchObject([403, { causes: [{ reason: 'NamespaceTerminating' }] }])
    objects.edit(core('namespaces'), '', 'ending', 'object', 'controller', (namespace) => {
      namespace.spec = { finalizers: [] }
    })
    expect(objects.get(core('namespaces'), '', 'ending')).toBeUndefined()
    const lost = refusal(() => objects.create(core('configmaps'), { ...core1('ConfigMap', 'lost'), metadata: { name: 'lost', namespace: 'ending' } }, 'x'))
    expect([lost.code, lost.message]).toEqual([404, 'namespaces "ending" not found'])
  })

  test('a namespace that lives is not let go of', () => {
    objects.edit(core('namespaces'), '', 'default', 'object', 'x', (namespace) => {
      namespace.spec = { finalizers: [] }
    })
    expect(objects.get(core('namespaces'), '', 'default')?.spec).toEqual({ finalizers: ['kubernetes'] })
    expect(refusal(() => objects.delete(core('namespaces'), '', 'kube-system')).code).toBe(403)
  })

  test('a Secret takes plain text and shows base64; a Service gets an address and keeps it', async () => {
    const secret = await ask('POST', '/api/v1/namespaces/default/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'plain' } })
    expect(secret.body).toMatchObject({ data: { a: 'cGxhaW4=' }, type: 'Opaque' })
    expect(secret.body.stringData).toBeUndefined()
    const service = await ask('POST', '/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })
    expect(service.body.spec).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./), type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] })
    const moved = await ask('PATCH', '/api/v1/namespaces/default/services/s', { spec: { clusterIP: '10.96.9.9' } })
    expect([moved.status, moved.body.message]).toEqual([422, expect.stringContaining('spec.clusterIPs[0]')])
  })

  const patched = [
    ['deployments', '/apis/apps/v1', deployment('fixed'), { spec: { selector: { matchLabels: { app: 'else' } } } }, /spec\.selector: Invalid value: .*field is immutable/],
    [
      'persistentvolumeclaims',
      '/api/v1',
      core1('PersistentVolumeClaim', 'fixed', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
      { spec: { accessModes: ['ReadWriteMany'] } },
      /spec: Forbidden: spec is immutable after creation/,
    ],
    [
      'jobs',
      '/apis/batch/v1',
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'fixed' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } },
      { spec: { template: { spec: { restartPolicy: 'OnFailure' } } } },
      /spec\.template: Invalid value: .*field is immutable/,
    ],
    ['configmaps', '/api/v1', core1('ConfigMap', 'fixed', { immutable: true, data: { a: 'b' } }), { data: { a: 'c' } }, /data: Forbidden: field is immutable when `immutable` is set/],
    ['secrets', '/api/v1', core1('Secret', 'fixed'), { type: 'other' }, /type: Invalid value: "other": field is immutable/],
    ['pods', '/api/v1', core1('Pod', 'fixed', { spec: { containers: [container] } }), { spec: { restartPolicy: 'Never' } }, /spec: Forbidden: pod updates may not change fields/],
  ] as const satisfies readonly (readonly [string, string, KubernetesObject, object, RegExp])[]

  test.for(patched)('what cannot be changed of %s is refused', async ([plural, prefix, object, patch, words]) => {
    const path = `${prefix}/namespaces/default/${plural}`
    expect((await ask('POST', path, object)).status).toBe(201)
    const refused = await ask('PATCH', `${path}/fixed`, JSON.stringify(patch))
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringMatching(words)])
    expect((await ask('PATCH', `${path}/fixed`, { metadata: { labels: { a: 'b' } } })).status).toBe(200)
  })

  test('a definition serves its kind at once, and no more when it is gone', async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lamps.example.dev' },
      spec: {
        group: 'example.dev',
        scope: 'Namespaced',
        names: { plural: 'lamps', kind: 'Lamp' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } } }],
      },
    }
    const lamps = '/apis/example.dev/v1/namespaces/default/lamps'
    expect((await ask('GET', lamps)).status).toBe(404)
    const made = await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
    expect(made.body.status).toMatchObject({ conditions: [{ type: 'NamesAccepted' }, { type: 'Established', status: 'True' }], storedVersions: ['v1'] })
    expect((await ask('GET', lamps)).status).toBe(200)
    const lamp = (name: string, finalizers?: string[]): object => ({ apiVersion: 'example.dev/v1', kind: 'Lamp', metadata: { name, ...(finalizers === undefined ? {} : { finalizers }) } })
    await ask('POST', lamps, JSON.stringify(lamp('a')))
    await ask('POST', lamps, JSON.stringify(lamp('held', ['example.dev/hold'])))
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lamps.example.dev'
    expect((await ask('DELETE', path)).body.metadata).toMatchObject({ deletionTimestamp: expect.any(String) })
    // Its objects go with it, and it waits for the one that is held.
    expect([(await ask('GET', `${lamps}/a`)).status, (await ask('GET', path)).status]).toEqual([404, 200])
    await ask('PATCH', `${lamps}/held`, { metadata: { finalizers: null } })
    expect([(await ask('GET', lamps)).status, (await ask('GET', path)).status]).toEqual([404, 404])
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
    expect((await ask('GET', lamps)).body.items).toEqual([])
  })
})
