import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { openCel } from '#lib/cel.ts'
import { systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Sample } from '#model/probe.ts'
import { kubernetesPlace } from '../../../test/kubernetes-place.ts'
import type { KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { kubernetes } from './kubernetes.ts'

const cel = openCel({ timeoutMs: 400 })
let place: KubernetesPlace
let namespace = ''
beforeAll(async () => {
  place = await kubernetesPlace()
  ;({ namespace } = place)
  for (const [name, tier] of [['a', 'web'], ['b', 'web'], ['c', 'cache']]) await place.write({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name ?? '', namespace, labels: { tier: tier ?? '' } }, data: { size: '3' } })
})
afterAll(async () => {
  await cel.close()
  await place.stop()
})

async function ask(config: object, { client = place.client, ms = 5_000 } = {}): Promise<Sample> {
  const clients = { kubernetes: async () => client, cel: cel.evaluate }
  const full = { target: 'cluster', apiVersion: 'v1', kind: 'ConfigMap', namespace, ...config }
  return kubernetes.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, kubernetes.schema.parse(full))
}

/** A client that answers with these objects, for states that only controllers make. */
function answering(...objects: JsonObject[]): { client: KubernetesClient } {
  const served = { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs: [] }
  return { client: { kind: async () => served, get: async () => objects[0], list: async () => ({ items: objects, version: '7' }) } as unknown as KubernetesClient }
}

const deployment = (name: string, metadata: JsonObject = {}, status: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'orders', generation: 4, ...metadata }, status: { observedGeneration: 4, availableReplicas: 2, ...status },
})
const available = (status: string): JsonObject => ({ conditions: [{ type: 'Progressing', status: 'True' }, { type: 'Available', status, reason: 'MinimumReplicasUnavailable' }] })

describe('the kubernetes probe, on a cluster', () => {
  test('passes where an object is there, and fails where it is not', async () => {
    expect(await ask({ name: 'a' })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true, target: `ConfigMap ${namespace}/a in cluster`, threshold: 'exists', message: `ConfigMap ${namespace}/a exists` })
    expect(await ask({ name: 'nosuch' })).toMatchObject({ verdict: 'failed', message: `ConfigMap ${namespace}/nosuch does not exist` })
  })

  test('holds an object against an expression', async () => {
    expect(await ask({ name: 'a', cel: 'int(object.data.size) >= 3' })).toMatchObject({ verdict: 'passed', value: true, threshold: 'int(object.data.size) >= 3' })
    expect(await ask({ name: 'a', cel: 'int(object.data.size) > 3' })).toMatchObject({ verdict: 'failed', value: false, message: `ConfigMap ${namespace}/a is not as the expression says` })
    expect(await ask({ selector: 'tier=web', cel: 'objects.all(o, o.data.size == "3") && objects.size() == 2' })).toMatchObject({ verdict: 'passed' })
  })

  test('does not know where the expression is broken, is no yes or no, or hangs', async () => {
    expect(await ask({ name: 'a', cel: 'object.data.nosuch == "x"' })).toMatchObject({ verdict: 'unknown', message: 'the CEL expression cannot be evaluated: No such key: nosuch' })
    expect(await ask({ name: 'a', cel: 'object.data.size' })).toMatchObject({ verdict: 'unknown', message: 'the CEL expression gives “3”, expected true or false' })
    expect(await ask({ name: 'a', cel: `"${'a'.repeat(60)}!".matches("^(a+)+$")` })).toMatchObject({ verdict: 'unknown', message: 'the CEL expression took longer than 400 ms' })
  })

  test('counts what a selector finds', async () => {
    expect(await ask({ selector: 'tier=web', count: { min: 2, max: 3 } })).toMatchObject({ signal: 'count', verdict: 'passed', value: 2, threshold: 'count >= 2, <= 3' })
    expect(await ask({ selector: 'tier in (web, cache)', count: { min: 4 } })).toMatchObject({ verdict: 'failed', value: 3, message: expect.stringContaining('the number of objects 3, at least 4 expected') })
    expect(await ask({ selector: 'tier=none' })).toMatchObject({ verdict: 'failed', value: 0, message: `ConfigMap ${namespace}/[tier=none]: none found` })
    expect(await ask({ selector: 'tier=none', count: { equals: 0 } })).toMatchObject({ verdict: 'passed', value: 0 })
  })

  test('reads what belongs to no namespace, and does not know how to read it from one', async () => {
    const config = { kind: 'Namespace', name: namespace }
    expect(await ask({ ...config, namespace: undefined })).toMatchObject({ verdict: 'passed' })
    expect(await ask(config)).toMatchObject({ verdict: 'unknown', message: 'Namespace belongs to no namespace, and the probe names one' })
    expect(await ask({ name: 'a', namespace: undefined })).toMatchObject({ verdict: 'unknown', message: 'ConfigMap belongs to a namespace, and the probe names none' })
  })

  test('fails where the cluster does not know the kind', async () => {
    expect(await ask({ kind: 'Database', apiVersion: `${randomBytes(4).toString('hex')}.example/v1`, name: 'a' })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^cluster serves no kind Database in /) })
  })

  test('sees the keys of a Secret, and no value', async () => {
    await place.write({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace, labels: { tier: 'db' }, annotations: { copy: 'hush' } }, stringData: { password: 'hush' } })
    for (const [one, object] of [[{ name: 's' }, 'object'], [{ selector: 'tier=db' }, 'objects[0]']] as const) {
      expect(await ask({ kind: 'Secret', ...one, cel: `"password" in ${object}.data && ${object}.data.password == "" && !("annotations" in ${object}.metadata)` })).toMatchObject({ verdict: 'passed' })
    }
  })

  test('does not know what it cannot ask the cluster', async () => {
    const { kubernetes: nobody } = place.unreachable.clients
    expect(await ask({ name: 'a' }, { client: nobody })).toMatchObject({ verdict: 'unknown' })
    const refusing = { kind: async () => Promise.reject(new Failure({ code: 'kubernetes-refused', subject: 'x', message: 'configmaps is forbidden' })) } as unknown as KubernetesClient
    expect(await ask({ name: 'a' }, { client: refusing })).toMatchObject({ verdict: 'unknown', message: 'configmaps is forbidden' })
    const silent = { kind: () => new Promise(() => {}) } as unknown as KubernetesClient
    expect(await ask({ name: 'a' }, { client: silent, ms: 150 })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^target cluster: timed out/) })
  })
})

describe('the kubernetes probe, on what controllers write', () => {
  const config = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'orders', name: 'api' }

  test('looks for a condition', async () => {
    expect(await ask({ ...config, condition: { type: 'Available' } }, answering(deployment('api', {}, available('True'))))).toMatchObject({ verdict: 'passed', message: 'Deployment orders/api: Available is True', threshold: 'Available = True' })
    expect(await ask({ ...config, condition: { type: 'Available' } }, answering(deployment('api', {}, available('False'))))).toMatchObject({
      verdict: 'failed', value: false, message: 'Deployment orders/api: Available is False (MinimumReplicasUnavailable), expected True',
    })
    expect(await ask({ ...config, condition: { type: 'Ready' } }, answering(deployment('api')))).toMatchObject({ verdict: 'failed', message: 'Deployment orders/api has no condition Ready' })
    for (const conditions of ['x', [1, null], [{ type: 1 }], {}]) expect(await ask({ ...config, condition: { type: 'Ready' } }, answering(deployment('api', {}, { conditions } as JsonObject)))).toMatchObject({ verdict: 'failed' })
  })

  test('does not judge by the status of an older generation', async () => {
    const stale = answering(deployment('api', { generation: 5 }, available('True')))
    for (const rule of [{ condition: { type: 'Available' } }, { cel: 'object.status.availableReplicas >= 1' }]) {
      expect(await ask({ ...config, ...rule }, stale)).toMatchObject({ verdict: 'unknown', message: 'Deployment orders/api: its status is of generation 4, and it is at 5' })
    }
    expect(await ask(config, stale)).toMatchObject({ verdict: 'passed' })
  })

  test('counts those that have a condition, and not those that are going', async () => {
    const many = answering(deployment('a', {}, available('True')), deployment('b', {}, available('False')), deployment('c', { deletionTimestamp: '2026-01-01T00:00:00Z' }, available('True')))
    const question = { ...config, name: undefined, selector: 'app=api', condition: { type: 'Available' } }
    expect(await ask({ ...question, count: { min: 1 } }, many)).toMatchObject({ verdict: 'passed', value: 1 })
    expect(await ask({ ...question, count: { min: 2 } }, many)).toMatchObject({ verdict: 'failed', value: 1, message: expect.stringContaining('the number with Available = True 1, at least 2 expected') })
    expect(await ask(question, many)).toMatchObject({ verdict: 'failed', message: expect.stringContaining('orders/b: Available is False') })
  })

  test('takes no half of a question, and no broken expression, but variables in one', () => {
    const base = { target: 'cluster', apiVersion: 'v1', kind: 'Pod', namespace: 'orders' }
    const wrong = [base, { ...base, name: 'a', selector: 'b' }, { ...base, name: 'a', count: { min: 1 } }, { ...base, name: 'a', cel: 'object.' }, { ...base, name: 'a', cel: 'nosuch(object)' }]
    expect(wrong.filter((one) => kubernetes.schema.safeParse(one).success)).toEqual([])
    expect(kubernetes.schema.safeParse({ ...base, name: 'a', cel: 'object.metadata.name == "${environment}" && object.spec.replicas == ${replicas}' }).success).toBe(true)
  })
})
