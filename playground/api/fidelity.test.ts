import { Agent, request } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { type TestServer, testServer } from './testing.ts'

// What deliveries meet of a real server. Texts are held to recordings where there are any (transcripts.test.ts); those here come from Kubernetes' sources.

let running: TestServer
const clock = new FakeClock()
beforeAll(async () => {
  running = await testServer({ clock })
})
afterAll(() => running.end())

type Owned = { readonly manager: string; readonly subresource?: string; readonly fieldsV1: JsonObject }

const inDefault = (group: string, plural: string): string => `${group}/namespaces/default/${plural}`
const post = async (path: string, body: Json): Promise<JsonObject> => {
  const { status, body: made } = await running.ask('POST', path, body)
  expect({ status, made }).toMatchObject({ status: 201 })
  return made
}
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } }
const deployment = (name: string): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: 'web' } },
  spec: { selector: { matchLabels: { app: 'web' } }, template },
})

describe('the status of a built-in kind', () => {
  const deployments = inDefault('/apis/apps/v1', 'deployments')

  test('takes annotations along, but neither the spec nor a Deployment’s labels, and its fields are owned with the subresource', async () => {
    await post(deployments, deployment('status'))
    const patch = { metadata: { annotations: { seen: 'yes' }, labels: { app: 'other' } }, spec: { replicas: 9 }, status: { replicas: 1, observedGeneration: 1 } }
    const { body } = await running.ask('PATCH', `${deployments}/status/status?fieldManager=kube-controller-manager`, patch)
    expect(body).toMatchObject({ metadata: { annotations: { seen: 'yes' }, labels: { app: 'web' }, generation: 1 }, spec: { replicas: 1 }, status: { replicas: 1 } })
    const owned = ((body.metadata as JsonObject).managedFields as Owned[]).find(({ subresource }) => subresource === 'status')
    expect(owned).toMatchObject({ manager: 'kube-controller-manager', fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:seen': {} } }, 'f:status': { 'f:observedGeneration': {}, 'f:replicas': {} } } })
    expect(JSON.stringify(owned)).not.toMatch(/f:spec|f:labels/)
  })

  test('is what a write to the object leaves alone', async () => {
    await post(deployments, { ...deployment('kept'), status: { replicas: 7 } })
    const { body } = await running.ask('PATCH', `${deployments}/kept`, { status: { replicas: 8 }, metadata: { labels: { extra: 'yes' } } })
    expect(body).toMatchObject({ metadata: { labels: { app: 'web', extra: 'yes' }, generation: 1 } })
    expect(JSON.stringify(body.status ?? {})).not.toMatch(/[78]/)
  })
})

// What a kube-apiserver 1.36.3 answers to these.
describe('a PUT', () => {
  const role = (metadata: JsonObject): JsonObject => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: [] })
  const roles = inDefault('/apis/rbac.authorization.k8s.io/v1', 'roles')

  test('of what is not there makes it, for a few kinds, whatever version it names', async () => {
    const { status, body } = await running.ask('PUT', `${roles}/new?fieldManager=m`, role({ name: 'new', resourceVersion: '5' }))
    expect([status, body.rules]).toEqual([201, null])
    expect((body.metadata as JsonObject).managedFields).toMatchObject([{ manager: 'm', operation: 'Update', fieldsV1: { 'f:rules': {} } }])
    const other = await running.ask('PUT', `${roles}/other`, role({ name: 'other', uid: 'u' }))
    expect(other.body).toMatchObject({ code: 409, message: expect.stringContaining('Key: /registry/roles/default/other, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ') })
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'none' } }
    expect((await running.ask('PUT', `${inDefault('/api/v1', 'configmaps')}/none`, map)).body).toMatchObject({ code: 404, message: 'configmaps "none" not found' })
  })

  test('must name the version that it replaces, for a few kinds', async () => {
    const budgets = inDefault('/apis/policy/v1', 'poddisruptionbudgets')
    const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec: {} }
    await post(budgets, budget)
    expect((await running.ask('PUT', `${budgets}/b`, budget)).body).toMatchObject({ code: 422, message: 'poddisruptionbudgets.policy "b" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update' })
  })
})

// What a kube-apiserver 1.36.3 answers to these.
describe('a request to a built-in kind', () => {
  const deployments = inDefault('/apis/apps/v1', 'deployments')

  test('needs no kind in its body: the path says it', async () => {
    const { body } = await running.ask('POST', inDefault('/api/v1', 'serviceaccounts'), { metadata: { name: 'kindless' } })
    expect(body).toMatchObject({ kind: 'ServiceAccount', apiVersion: 'v1', metadata: { name: 'kindless' } })
  })

  test('that is no POST to a collection, or to no resource of its group, is answered with a Status', async () => {
    expect((await running.ask('POST', `${deployments}/x`, deployment('x'))).body).toMatchObject({ code: 405, reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource', details: {} })
    expect((await running.ask('GET', '/apis/apps/v1/foos')).body).toMatchObject({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} })
    expect((await running.ask('GET', '/apis/foo/v1')).text).toBe('404 page not found\n')
  })

  test('says by which fields the kind can be asked for', async () => {
    const message = (path: string): Promise<unknown> => running.ask('GET', `${path}?fieldSelector=spec.foo%3D1`).then(({ body }) => body.message)
    expect(await message(deployments)).toBe('"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"')
    expect(await message(inDefault('/api/v1', 'pods'))).toBe('field label not supported: spec.foo')
  })

  test('by a strategic merge patch is quoted when it says what is unknown, and ends without a reason where a key is missing', async () => {
    await post(deployments, deployment('strategic'))
    const patch = (query: string, body: JsonObject): Promise<JsonObject> =>
      running.ask('PATCH', `${deployments}/strategic${query}`, body, { 'content-type': 'application/strategic-merge-patch+json' }).then((reply) => reply.body)
    expect(await patch('?fieldValidation=Strict', { spec: { foo: 1 } })).toMatchObject({ code: 422, message: ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"' })
    const keyless = await patch('', { spec: { template: { spec: { containers: [{ image: 'c' }] } } } })
    expect(keyless).toMatchObject({ code: 500, message: 'map: map[image:c] does not contain declared merge key: name' })
    expect(keyless).not.toHaveProperty('reason')
  })
})

test('a Pod with scheduling gates says so, and loses them one by one', async () => {
  const pods = inDefault('/api/v1', 'pods')
  const spec = { schedulingGates: [{ name: 'a.b/c' }, { name: 'a.b/d' }], containers: [{ name: 'c', image: 'i' }] }
  const gate = (...names: string[]): Promise<JsonObject> => running.ask('PATCH', `${pods}/gated`, { spec: { schedulingGates: names.map((name) => ({ name })) } }).then(({ body }) => body)
  const made = await post(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'gated' }, spec })
  const condition = { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates', lastProbeTime: null, lastTransitionTime: expect.any(String) }
  expect(made.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort', conditions: [condition] })
  expect((await running.ask('GET', `${pods}/gated`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).body).toMatchObject({ rows: [{ cells: expect.arrayContaining(['SchedulingGated']) }] })
  expect(await gate('a.b/c', 'a.b/e')).toMatchObject({ code: 422, message: 'Pod "gated" is invalid: spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate \'a.b/e\'' })
  expect(await gate('a.b/d')).toMatchObject({ spec: { schedulingGates: [{ name: 'a.b/d' }] } })
  expect(await gate()).not.toHaveProperty('spec.schedulingGates')
  const early = await running.ask('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'early' }, spec: { ...spec, nodeName: 'n' } })
  expect(early.body).toMatchObject({ code: 422, message: 'Pod "early" is invalid: spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared' })
})

test('Events are read in their newer version too, and written in v1 alone', async () => {
  const time = '2026-01-02T03:04:05Z'
  const involvedObject = { kind: 'DaemonSet', namespace: 'default', name: 'ds', apiVersion: 'apps/v1' }
  const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'ds.1' }, involvedObject, reason: 'SuccessfulDelete', message: 'Deleted pod: ds-x', type: 'Normal', source: { component: 'daemonset-controller' }, firstTimestamp: time, lastTimestamp: time, count: 1, reportingComponent: 'daemonset-controller', reportingInstance: '' }
  await post(inDefault('/api/v1', 'events'), event)
  const events = inDefault('/apis/events.k8s.io/v1', 'events')
  const { body } = await running.ask('GET', `${events}?fieldSelector=regarding.kind%3DDaemonSet`)
  expect(body).toMatchObject({ kind: 'EventList', apiVersion: 'events.k8s.io/v1', items: [{ metadata: { name: 'ds.1' } }] })
  const { metadata: _metadata, ...item } = (body.items as JsonObject[])[0] as JsonObject
  expect(item).toEqual({ eventTime: null, reportingController: 'daemonset-controller', reason: 'SuccessfulDelete', regarding: involvedObject, note: 'Deleted pod: ds-x', type: 'Normal', deprecatedSource: { component: 'daemonset-controller' }, deprecatedFirstTimestamp: time, deprecatedLastTimestamp: time, deprecatedCount: 1 })
  expect((await running.ask('GET', `${events}?fieldSelector=involvedObject.kind%3DDaemonSet`)).body.message).toBe('field label not supported: involvedObject.kind')
  expect((await running.ask('GET', `${events}/ds.1`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).body).toMatchObject({ rows: [{ cells: [expect.any(String), 'Normal', 'SuccessfulDelete', 'daemonset/ds', '', 'daemonset-controller', 'Deleted pod: ds-x', expect.any(String), 1, 'ds.1'] }] })
  expect((await running.ask('DELETE', `${events}/ds.1`)).body).toMatchObject({ code: 405 })
  expect((await running.ask('GET', '/apis/events.k8s.io/v1')).body.resources).toEqual([{ name: 'events', singularName: 'event', namespaced: true, kind: 'Event', verbs: ['get', 'list', 'watch'], shortNames: ['ev'], storageVersionHash: 'r2yiGXH7wu8=' }])
})

// What a kube-apiserver 1.36.3 answers to these, but for the 501.
describe('a part of a pod', () => {
  const pods = inDefault('/api/v1', 'pods')
  const budgets = inDefault('/apis/policy/v1', 'poddisruptionbudgets')
  const evict = async (name: string, more: JsonObject = {}, query = ''): Promise<JsonObject> => (await running.ask('POST', `${pods}/${name}/eviction${query}`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more })).body
  const pod = async (name: string, status: JsonObject = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }): Promise<void> => {
    await post(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'evicted' }, finalizers: ['a.example/b'] }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }] } })
    await running.ask('PATCH', `${pods}/${name}/status`, { status })
  }
  const budget = async (name: string, status: JsonObject): Promise<void> => {
    await post(budgets, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'evicted' } } } })
    await running.ask('PATCH', `${budgets}/${name}/status`, { status: { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 2, expectedPods: 2, disruptionsAllowed: 0, ...status } })
  }
  const live = async (path: string): Promise<JsonObject> => (await running.ask('GET', path)).body
  const evicted = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
  const refused = (message: string): JsonObject => ({ code: 429, reason: 'TooManyRequests', message: 'Cannot evict pod as it would violate the pod\'s disruption budget.', details: { causes: [{ reason: 'DisruptionBudget', message }] } })

  test('is evicted as its disruption budget allows', async () => {
    await pod('a')
    await pod('b', { phase: 'Running' })
    await pod('waiting', { phase: 'Pending' })
    expect(await evict('none')).toMatchObject({ code: 404, message: 'pods "none" not found' })
    expect(await evict('a', { metadata: { name: 'b' } })).toMatchObject({ code: 400, message: 'name in URL does not match name in Eviction object' })
    expect(await evict('a', { metadata: { name: 'a', namespace: 'other' } })).toMatchObject({ code: 400, message: 'the namespace of the provided object does not match the namespace sent on the request' })
    await budget('one', {})
    expect(await evict('a')).toEqual(expect.objectContaining(refused('The disruption budget one needs 2 healthy pods and has 2 currently')))
    expect(await evict('waiting')).toEqual(evicted)
    expect(await evict('b')).toEqual(evicted) // not ready, and enough others are
    await running.ask('PATCH', `${budgets}/one/status`, { status: { disruptionsAllowed: 2, currentHealthy: 4 } })
    expect(await evict('a', {}, '?dryRun=All')).toEqual(evicted)
    expect(await evict('a', { deleteOptions: { dryRun: ['All'] } })).toEqual(evicted)
    expect(await live(`${budgets}/one`)).toMatchObject({ status: { disruptionsAllowed: 2 } })
    expect(await evict('a', { deleteOptions: { preconditions: { uid: 'x' } } })).toMatchObject({ code: 409, message: expect.stringContaining('Operation cannot be fulfilled on Pod "a": the UID in the precondition (x) does not match') })
    expect(await evict('a')).toEqual(evicted)
    expect(await live(`${budgets}/one`)).toMatchObject({ status: { disruptionsAllowed: 0, disruptedPods: { a: expect.stringMatching(/Z$/) } } })
    expect(await live(`${pods}/a`)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) }, status: { conditions: [{ type: 'Ready' }, { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }] } })
    expect(await evict('a')).toEqual(evicted) // it goes already
    await pod('c')
    await budget('two', { observedGeneration: 0 })
    expect(await evict('c')).toEqual({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 500, message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' })
    await running.ask('DELETE', `${budgets}/one`)
    expect(await evict('c')).toMatchObject({ details: { causes: [{ message: 'The disruption budget two is still being processed by the server.' }], retryAfterSeconds: 10 } })
    expect((await running.ask('PUT', `${pods}/c/eviction`, {})).body).toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
    const policy = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'c' } }
    expect((await running.ask('GET', '/api/v1')).body.resources).toContainEqual({ name: 'pods/eviction', singularName: '', namespaced: true, group: 'policy', version: 'v1', kind: policy.kind, verbs: ['create'] })
  })

  test('that only a real container has says so, and where the pod is', async () => {
    await pod('real', { phase: 'Running', podIP: '127.9.9.9' })
    const message = (what: string): string => `the playground has no ${what}: pod "real" is a process of this machine; it listens at 127.9.9.9:8080, and kubectl logs shows what it says`
    expect((await running.ask('POST', `${pods}/real/exec?command=ls`)).body).toMatchObject({ code: 501, reason: 'NotImplemented', message: message('kubectl exec or cp'), details: { name: 'real', kind: 'pods' } })
    expect((await running.ask('PATCH', `${pods}/real/ephemeralcontainers`, {})).body).toMatchObject({ code: 501, message: message('kubectl debug') })
    expect((await running.ask('GET', `${pods}/none/portforward`)).body).toMatchObject({ code: 404, message: 'pods "none" not found' })
    expect((await running.ask('GET', `${pods}/real/other`)).body).toMatchObject({ code: 404, message: 'the server could not find the requested resource' })
  })
})

test('a new object has the status that Go cannot leave out; a Scale of nothing says nothing', async () => {
  const empty = { ...deployment('empty'), spec: { ...(deployment('empty').spec as JsonObject), replicas: 0 } }
  expect((await post(inDefault('/apis/apps/v1', 'deployments'), empty)).status).toEqual({})
  expect((await running.ask('GET', `${inDefault('/apis/apps/v1', 'deployments')}/empty/scale`)).body).toMatchObject({ spec: {}, status: { replicas: 0 } })
  const set = { ...deployment('set'), kind: 'StatefulSet' }
  expect((await post(inDefault('/apis/apps/v1', 'statefulsets'), set)).status).toEqual({ replicas: 0, availableReplicas: 0 })
})

test('a new Pod has a priority and bears lost nodes for five minutes, and neither is its creator’s', async () => {
  const spec = { containers: [{ name: 'c', image: 'i' }], tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists' }] }
  const made = await post(`${inDefault('/api/v1', 'pods')}?fieldManager=m`, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'tolerant' }, spec })
  const lost = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }
  expect(made.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority', tolerations: [...spec.tolerations, lost] })
  expect(JSON.stringify((made.metadata as JsonObject).managedFields)).not.toMatch(/f:priority|f:preemptionPolicy/)
})

test('what only the server needs to know of Go is not published', async () => {
  const { text } = await running.ask('GET', '/openapi/v3/api/v1')
  expect(text).toContain('x-kubernetes-list-map-keys')
  expect(text).not.toMatch(/x-go-|"default":null/)
})

describe('what cannot be changed', () => {
  test('a Deployment’s selector', async () => {
    const deployments = inDefault('/apis/apps/v1', 'deployments')
    await post(deployments, deployment('fixed'))
    const patch = { spec: { selector: { matchLabels: { app: 'other' } }, template: { metadata: { labels: { app: 'other' } } } } }
    expect((await running.ask('PATCH', `${deployments}/fixed`, patch)).body).toMatchObject({
      code: 422,
      message: 'Deployment.apps "fixed" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable',
    })
  })

  test('a Service’s address, which it is given, and keeps where a client leaves it out', async () => {
    const services = inDefault('/api/v1', 'services')
    const made = await post(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } })
    const { clusterIP } = made.spec as { clusterIP: string }
    expect(made.spec).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./), clusterIPs: [clusterIP], type: 'ClusterIP' })
    const refused = await running.ask('PATCH', `${services}/web`, { spec: { clusterIP: '10.96.9.9' } })
    expect(refused.body).toMatchObject({ code: 422, message: expect.stringContaining('may not change once set') })
    const { metadata } = made as { metadata: JsonObject }
    const put = await running.ask('PUT', `${services}/web`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', resourceVersion: metadata.resourceVersion as Json }, spec: { ports: [{ port: 81 }] } })
    expect(put.body).toMatchObject({ spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 81, targetPort: 81 }] } })
  })

  test('a claim: it grows once it is bound, and shrinks no further than it has grown', async () => {
    const claims = inDefault('/api/v1', 'persistentvolumeclaims')
    const sized = (storage: string): JsonObject => ({ spec: { resources: { requests: { storage } } } })
    await post(claims, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
    expect((await running.ask('PATCH', `${claims}/data`, sized('2Gi'))).body.message).toMatch(/spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims/)
    await running.ask('PATCH', `${claims}/data/status`, { status: { phase: 'Bound', capacity: { storage: '1Gi' } } })
    expect((await running.ask('PATCH', `${claims}/data`, sized('3Gi'))).status).toBe(200)
    expect((await running.ask('PATCH', `${claims}/data`, sized('2Gi'))).status).toBe(200)
    expect((await running.ask('PATCH', `${claims}/data`, sized('1024Mi'))).body).toMatchObject({
      code: 422,
      message: 'PersistentVolumeClaim "data" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    })
    expect((await running.ask('PATCH', `${claims}/data`, { spec: { accessModes: ['ReadWriteMany'] } })).status).toBe(422)
  })
})

test.each([
  [{ type: 'Resource' }, 'spec.metrics[0].resource: Required value: must populate information for the given metric source'],
  [{ type: 'Magic' }, 'spec.metrics[0].type: Unsupported value: "Magic"'],
  [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0 } } }, 'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0'],
  [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } }, 'must set either a target raw value or a target utilization'],
  [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 5, averageValue: '1' } } }, 'may not set both a target raw value and a target utilization'],
])('an autoscaler with %j is refused', async (metric, message) => {
  const spec = { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'web' }, metrics: [metric] } as JsonObject
  const answer = await running.ask('POST', inDefault('/apis/autoscaling/v2', 'horizontalpodautoscalers'), { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' }, spec })
  expect(answer.body).toMatchObject({ code: 422, message: expect.stringContaining(message) })
})

test('whoever asks for what is deprecated is warned', async () => {
  expect((await running.ask('GET', inDefault('/api/v1', 'endpoints'))).headers.warning).toBe('299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"')
})

describe('definitions', () => {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const number = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } } as const
  const version = (name: string, storage: boolean, more: JsonObject = {}): JsonObject => ({ name, served: true, storage, schema: { openAPIV3Schema: number }, ...more })
  const definition = (plural: string, versions: JsonObject[]): JsonObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.dev` },
    spec: { group: 'example.dev', scope: 'Namespaced', names: { plural, kind: plural.slice(0, 1).toUpperCase() + plural.slice(1, -1) }, versions },
  })

  test('remember every version that was stored, and keep it until it is taken off the list', async () => {
    await post(definitions, definition('boxes', [version('v1', true)]))
    const path = `${definitions}/boxes.example.dev`
    const both = await running.ask('PATCH', path, { spec: { versions: [version('v1', false), version('v2', true)] } })
    expect(both.body.status).toMatchObject({ storedVersions: ['v1', 'v2'] })
    const lost = await running.ask('PATCH', path, { spec: { versions: [version('v2', true)] } })
    expect(lost.body).toMatchObject({ code: 422, message: expect.stringContaining('status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version') })
    await running.ask('PATCH', `${path}/status`, { status: { storedVersions: ['v2'] } })
    expect((await running.ask('PATCH', path, { spec: { versions: [version('v2', true)] } })).status).toBe(200)
  })

  test('versions convert by their name alone, and what is new in a schema is there when an old object is read', async () => {
    await post(definitions, definition('cups', [version('v1', true), version('v1beta1', false, { deprecated: true })]))
    const cups = (name: string): string => inDefault(`/apis/example.dev/${name}`, 'cups')
    await post(cups('v1'), { apiVersion: 'example.dev/v1', kind: 'Cup', metadata: { name: 'c' }, spec: { size: 3 } })
    const older = await running.ask('GET', `${cups('v1beta1')}/c`)
    expect(older.body).toMatchObject({ apiVersion: 'example.dev/v1beta1', spec: { size: 3 } })
    expect(older.headers.warning).toMatch(/example\.dev\/v1beta1 Cup is deprecated/)
    const withColor = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' }, color: { type: 'string', default: 'white' } } } } } as const
    await running.ask('PATCH', `${definitions}/cups.example.dev`, { spec: { versions: [{ ...version('v1', true), schema: { openAPIV3Schema: withColor } }] } })
    expect((await running.ask('GET', `${cups('v1')}/c`)).body.spec).toEqual({ size: 3, color: 'white' })
    expect((await running.ask('GET', cups('v1'))).body).toMatchObject({ items: [{ spec: { size: 3, color: 'white' } }] })
  })
})

describe('lists and watches', () => {
  const configMaps = inDefault('/api/v1', 'configmaps')
  const names = ({ body }: { body: JsonObject }): unknown[] => (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)

  test('a list that may be old is answered whole, whatever its limit', async () => {
    for (const name of ['a', 'b', 'c']) await post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
    expect(names(await running.ask('GET', `${configMaps}?limit=2`))).toHaveLength(2)
    const whole = await running.ask('GET', `${configMaps}?limit=2&resourceVersion=0`)
    expect(names(whole)).toEqual(['a', 'b', 'c'])
    expect((whole.body.metadata as JsonObject).continue).toBeUndefined()
  })

  test('resourceVersionMatch says which version: that very one, or any that is no older', async () => {
    const { resourceVersion } = (await running.ask('GET', configMaps)).body.metadata as { resourceVersion: string }
    await post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later' } })
    expect(names(await running.ask('GET', `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`))).not.toContain('later')
    expect(names(await running.ask('GET', `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`))).toContain('later')
    expect((await running.ask('GET', `${configMaps}?resourceVersionMatch=Exact`)).status).toBe(422)
    running.server.compact()
    await post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'latest' } })
    expect((await running.ask('GET', `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)).body).toMatchObject({ code: 410, reason: 'Expired' })
  })

  test('a watch says how far it has come shortly before its time is over', async () => {
    const { resourceVersion } = (await running.ask('GET', configMaps)).body.metadata as { resourceVersion: string }
    const agent = new Agent({ ca: running.server.ca })
    let text = ''
    const ended = new Promise<void>((resolve, reject) => {
      const path = `${configMaps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=10&resourceVersion=${resourceVersion}`
      const sent = request(`${running.server.url}${path}`, { agent, headers: { authorization: `Bearer ${running.server.adminToken}` } }, (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', resolve).on('error', reject)
      })
      sent.on('error', reject).end()
    })
    const other = await post(inDefault('/api/v1', 'secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'elsewhere' } })
    await post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'watched' } })
    await expect.poll(() => text).toContain('"watched"')
    clock.advance(8500)
    await expect.poll(() => text).toContain('BOOKMARK')
    clock.advance(2000)
    await ended
    agent.destroy()
    const last = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as { type: string; object: { metadata: { resourceVersion: string } } }
    expect(last.type).toBe('BOOKMARK')
    expect(Number(last.object.metadata.resourceVersion)).toBeGreaterThan(Number((other.metadata as JsonObject).resourceVersion))
  })
})

test('what a conversion webhook would have to convert is refused, and nothing else', async () => {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } }
  const webhook = { conversionReviewVersions: ['v1'], clientConfig: { service: { namespace: 'default', name: 'converter' } } }
  const versions = ['v1', 'v1beta1'].map((name) => ({ name, served: true, storage: name === 'v1', schema }))
  await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'convs.example.dev' },
    spec: { group: 'example.dev', scope: 'Namespaced', names: { plural: 'convs', kind: 'Conv' }, conversion: { strategy: 'Webhook', webhook }, versions },
  })
  const paths = { v1: inDefault('/apis/example.dev/v1', 'convs'), v1beta1: inDefault('/apis/example.dev/v1beta1', 'convs') }
  const conv = (version: string): JsonObject => ({ apiVersion: `example.dev/${version}`, kind: 'Conv', metadata: { name: 'one' }, spec: {} })
  const refused = { status: 500, body: { message: expect.stringMatching(/^conversion webhook for example\.dev\/v1(?:beta1)?, Kind=Conv failed: this playground calls no conversion webhooks: ask for v1/) } }
  expect((await running.ask('GET', paths.v1beta1)).status).toBe(200)
  expect(await running.ask('POST', paths.v1beta1, conv('v1beta1'))).toMatchObject(refused)
  await post(paths.v1, conv('v1'))
  for (const [method, path] of [['GET', paths.v1beta1], ['GET', `${paths.v1beta1}/one`], ['DELETE', `${paths.v1beta1}/one`]] as const) expect(await running.ask(method, path)).toMatchObject(refused)
  expect((await running.ask('GET', `${paths.v1}/one`)).status).toBe(200)
})
