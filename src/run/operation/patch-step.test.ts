import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { kubernetesPlace } from '../../../test/kubernetes-place.ts'
import type { KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { patchStep } from './patch-step.ts'
import type { StepCall, StepOutcome } from './step.ts'

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
  await place.write({ ...settings(), data: { a: '1' } })
})
afterAll(() => place?.stop())

const settings = (): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: place.namespace } })
const never = new AbortController().signal

function carryOut(fields: JsonObject, more: { kind?: string; name?: string; force?: boolean; limits?: object; client?: unknown } = {}): Promise<StepOutcome> {
  const { kind = 'ConfigMap', name = 'settings', force = false, limits = 'everything', client = place.client } = more
  const parts = { clock: systemClock, kubernetes: async () => client }
  const environment = { metadata: { name: 'dev' }, spec: { targets: { cluster: { kubernetes: { context: 'dev' } } } } }
  const call = { place: { parts, environment, run: { operation: { name: 'drill' } }, claim: { signal: never, fence: async () => {}, assertLease: async () => {} } }, owner: { name: 'x', repository: 'platform', limits }, row: { name: 'set' }, signal: never }
  return patchStep.carryOut(call as unknown as StepCall, { target: 'cluster', apiVersion: 'v1', kind, namespace: place.namespace, name, fields, force })
}

test('fields of an object that is there are set, and it is told which; the same twice is the same', async () => {
  expect(await carryOut({ data: { b: '2' }, metadata: { labels: { drilled: 'yes' } } })).toEqual({ state: 'done', message: 'data.b: nothing -> "2"; metadata.labels.drilled: nothing -> "yes"' })
  expect(await place.read(settings())).toMatchObject({ data: { a: '1', b: '2' }, metadata: { labels: { drilled: 'yes' } } })
  expect(await carryOut({ data: { b: '2' }, metadata: { labels: { drilled: 'yes' } } })).toEqual({ state: 'done', message: 'it was so already' })
})

test('what another owns is left alone, unless it is meant', async () => {
  expect(await carryOut({ data: { a: '9' } })).toMatchObject({ state: 'failed', failure: { code: 'kubernetes-conflict' } })
  expect(await carryOut({ data: { a: '9' } }, { force: true })).toMatchObject({ state: 'done', message: expect.stringContaining('data.a: "1" -> "9"') })
})

test('no object is made, no Secret is written, and nothing beyond the limits of the repository', async () => {
  expect(await carryOut({ data: {} }, { name: 'nothing' })).toMatchObject({ state: 'failed', failure: { code: 'step-refused', message: expect.stringContaining('there is no ConfigMap') } })
  expect(await carryOut({ data: {} }, { kind: 'Secret' })).toMatchObject({ state: 'failed', failure: { code: 'step-refused', message: 'no operation writes Secrets' } })
  const limits = { environments: ['dev'], targets: ['*'], namespaces: ['other'], kinds: 'namespaced', secrets: [] }
  expect(await carryOut({ data: {} }, { limits })).toMatchObject({ state: 'failed', failure: { code: 'step-refused', message: expect.stringContaining('may not have ConfigMap') } })
})

test('a cluster that does not answer is a failure: the apply may be sent again', async () => {
  expect(await carryOut({ data: { b: '3' } }, { client: place.unreachable.clients.kubernetes })).toMatchObject({ state: 'failed', failure: { code: 'kubernetes-unreachable' } })
})
