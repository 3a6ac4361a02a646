import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { systemClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { startFakeApiServer, type FakeApiServer, type FakeHandler } from '../../../test/fake-api-server.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import type { Call } from './call.ts'
import { observe } from './observe.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(async () => place?.stop())

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: place.namespace }, data: { a: '1' } })
const gets = () => (place.cluster.requests?.() ?? []).filter(({ method }) => method === 'GET').map(({ path }) => path)

describe('on a cluster', () => {
  test('few objects are asked for one by one, many by one list, and each key has its answer', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`)
    for (const name of names.slice(0, 11)) await place.write(configMap(name))
    const keys = names.map((name) => desiredOf(configMap(name)).key)
    const before = gets().length
    expect((await observe(place.call, keys, [])).map(({ state }) => state)).toEqual([...names.slice(0, 11).map(() => 'present'), 'absent'])
    const listed = gets().slice(before)
    expect(listed.filter((path) => /configmaps\/many/.test(path))).toEqual([])
    expect((await observe(place.call, keys.slice(9), [])).map(({ state }) => state)).toEqual(['present', 'present', 'absent'])
    expect(gets().slice(before + listed.length).filter((path) => /configmaps\/many/.test(path)).length).toBe(place.cluster.requests === undefined ? 0 : 3)
  })

  test('owners are read from managed fields', async () => {
    await place.write(configMap('owned'), 'kubectl-edit')
    const [seen] = await observe(place.call, [desiredOf(configMap('owned')).key], [])
    expect(seen).toMatchObject({ state: 'present', owners: [{ manager: 'kubectl-edit', operation: 'Apply', subresource: '', paths: ['data.a'] }], terminating: false, delegated: [] })
    expect(seen).not.toHaveProperty('body.metadata.managedFields')
    expect(seen).not.toHaveProperty('contents')
  })

  test('an object in the wrong scope is told so, with what to do', async () => {
    const [homeless, housed] = await observe(place.call, ['core/ConfigMap//a', `core/Namespace/${place.namespace}/b`], [])
    expect(homeless).toMatchObject({ state: 'unknown', failure: { code: 'object-scope', hint: 'Give it a metadata.namespace.' } })
    expect(housed).toMatchObject({ state: 'unknown', failure: { code: 'object-scope', hint: 'Remove its metadata.namespace.' } })
  })

  test('a kind that is not served is deferred when it is wanted, and absent when it is only held', async () => {
    const wanted = desiredOf({ apiVersion: 'nowhere.dev/v1', kind: 'Thing', metadata: { name: 'a', namespace: place.namespace } })
    const held = `nowhere.dev/Other/${place.namespace}/a`
    expect(await observe(place.call, [wanted.key, held], [wanted])).toEqual([
      { key: wanted.key, state: 'deferred', reason: 'nowhere.dev/v1 Thing is not served yet' },
      { key: held, state: 'absent' },
    ])
  })

  test('replicas that an autoscaler moves are delegated', async () => {
    const deployment = (name: string) => ({
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: place.namespace },
      spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } } },
    })
    for (const name of ['scaled', 'steady']) await place.write(deployment(name))
    await place.write({
      apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'scaler', namespace: place.namespace },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' }, minReplicas: 1, maxReplicas: 3 },
    })
    const seen = await observe(place.call, ['scaled', 'steady'].map((name) => desiredOf(deployment(name)).key), [])
    expect(seen).toMatchObject([
      { delegated: [{ path: 'spec.replicas', to: `HorizontalPodAutoscaler ${place.namespace}/scaler` }] },
      { delegated: [] },
    ])
  })

  test('resources that a vertical autoscaler moves are delegated, container by container', async () => {
    const group = `vertical${place.namespace.slice(-8)}`
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'verticalpodautoscalers.autoscaling.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
      spec: {
        group: 'autoscaling.k8s.io', scope: 'Namespaced', names: { plural: 'verticalpodautoscalers', singular: 'verticalpodautoscaler', kind: 'VerticalPodAutoscaler' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
      },
    }
    await place.write(definition)
    await expect.poll(() => place.client.kind('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', place.call.signal)).toBeDefined()
    const deployment = {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: group, namespace: place.namespace },
      spec: { selector: { matchLabels: { app: group } }, template: { metadata: { labels: { app: group } }, spec: { containers: [{ name: 'main', image: 'app:1' }, { name: 'left', image: 'app:1' }] } } },
    }
    await place.write(deployment)
    const autoscaler = (name: string, spec: object) => ({ apiVersion: 'autoscaling.k8s.io/v1', kind: 'VerticalPodAutoscaler', metadata: { name, namespace: place.namespace }, spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: group }, ...spec } })
    await place.write(autoscaler('mover', { resourcePolicy: { containerPolicies: [{ containerName: 'left', mode: 'Off' }] } }))
    await place.write(autoscaler('adviser', { updatePolicy: { updateMode: 'Off' } }))
    const [seen] = await observe(place.call, [desiredOf(deployment).key], [])
    expect(seen).toMatchObject({ delegated: [{ path: 'spec.template.spec.containers[name="main"].resources', to: `VerticalPodAutoscaler ${place.namespace}/mover` }] })
  })

  test('what lives in a namespace is counted, and what holds data is named, when it is held and no longer wanted', async () => {
    const key = `core/Namespace//${place.namespace}`
    await place.write({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'db', namespace: place.namespace }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
    const [held] = await observe(place.call, [key], [])
    expect(held).toMatchObject({ holdsData: [`core/PersistentVolumeClaim/${place.namespace}/db`] })
    expect(held?.state === 'present' ? held.contents : 0).toBeGreaterThan(10)
    const [wanted] = await observe(place.call, [key], [desiredOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: place.namespace } })])
    expect(wanted).not.toHaveProperty('contents')
  })

  test('what lives by a definition is counted too, and its objects are unknown while it is not served', async () => {
    const group = `${place.namespace}.dev`
    const definition = (served: boolean): JsonObject => ({
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `things.${group}` },
      spec: {
        group, scope: 'Namespaced', names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [{ name: 'v1', served, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
      },
    })
    const thing = { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'a', namespace: place.namespace }, spec: { a: 1 } }
    const key = `apiextensions.k8s.io/CustomResourceDefinition//things.${group}`
    await place.write(definition(true))
    await expect.poll(() => place.write(thing).then(() => 'written', () => 'not yet'), { timeout: 10_000 }).toBe('written')
    expect(await observe(place.call, [key], [])).toMatchObject([{ state: 'present', contents: 1 }])
    expect((await observe(place.call, [key], []))[0]).not.toHaveProperty('holdsData')
    await place.write(definition(false))
    await expect.poll(async () => (await observe(place.call, [desiredOf(thing).key], []))[0], { timeout: 10_000 }).toMatchObject({ state: 'unknown', failure: { message: 'it is defined but not served just now' } })
    const { uid } = (await place.read(definition(false)) as { metadata: { uid: string } }).metadata
    await place.client.delete(await place.kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), '', `things.${group}`, { uid, propagation: 'Background', dryRun: false }, place.call.signal)
  })
})

describe('on a cluster in trouble', () => {
  let server: FakeApiServer | undefined
  let close: (() => Promise<void>) | undefined
  afterEach(async () => {
    await close?.()
    await server?.stop()
  })
  async function start(handle: FakeHandler): Promise<Call> {
    server = await startFakeApiServer(handle)
    const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
    close = () => client.close()
    return { ...place.call, clients: { kubernetes: client } }
  }
  const discovery = (groups: object[] = []): Record<string, object> => ({
    '/api': { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: '' }, versions: [{ version: 'v1', resources: [{ resource: 'configmaps', responseKind: { kind: 'ConfigMap' }, scope: 'Namespaced', verbs: ['get', 'list'] }] }] }] },
    '/apis': { kind: 'APIGroupDiscoveryList', items: groups },
  })

  test('what cannot be read is unknown, one by one, and the others are seen', async () => {
    const call = await start((request, answer) => {
      const found = discovery()[request.path]
      if (found !== undefined) answer.json(200, found)
      else if (request.path.endsWith('/good')) answer.json(200, { metadata: { name: 'good', namespace: 'n', uid: 'u', resourceVersion: '1' } })
      else if (request.path.endsWith('/bad')) answer.status(403, 'Forbidden', 'configmaps "bad" is forbidden')
      else answer.json(200, {})
    })
    expect((await observe(call, ['core/ConfigMap/n/good', 'core/ConfigMap/n/bad', 'core/ConfigMap/n/empty'], [])).map((one) => (one.state === 'unknown' ? one.failure.code : one.state))).toEqual(['present', 'kubernetes-refused', 'kubernetes-failing'])
  })

  test('discovery that is not complete makes the kinds that it lacks unknown, not absent', async () => {
    const call = await start((request, answer) => {
      const found = discovery([{ metadata: { name: 'down.dev' }, versions: [{ version: 'v1', freshness: 'Stale', resources: [] }] }])[request.path]
      if (found === undefined) answer.status(404, 'NotFound', 'the server could not find the requested resource')
      else answer.json(200, found)
    })
    const seen = await observe(call, ['down.dev/Thing/n/a', 'gone.dev/Thing/n/a'], [])
    // The second is not served for certain; but whether it is still defined cannot be asked on this server.
    expect(seen.map(({ state }) => state)).toEqual(['unknown', 'unknown'])
  })

  test('a list that fails lets each object be asked for itself', async () => {
    const call = await start((request, answer) => {
      const found = discovery()[request.path]
      if (found !== undefined) answer.json(200, found)
      else if (request.path.endsWith('/configmaps')) answer.status(403, 'Forbidden', 'may not list')
      else answer.status(404, 'NotFound', 'not found', { kind: 'configmaps', name: request.path.split('/').at(-1) })
    })
    const keys = Array.from({ length: 12 }, (_, index) => `core/ConfigMap/n/x${index}`)
    expect(new Set((await observe(call, keys, [])).map(({ state }) => state))).toEqual(new Set(['absent']))
  })

  test('an empty answer to a list is no proof that nothing is there', async () => {
    const call = await start((request, answer) => answer.json(200, discovery()[request.path] ?? {}))
    const keys = Array.from({ length: 12 }, (_, index) => `core/ConfigMap/n/x${index}`)
    expect(new Set((await observe(call, keys, [])).map(({ state }) => state))).toEqual(new Set(['unknown']))
  })
})
