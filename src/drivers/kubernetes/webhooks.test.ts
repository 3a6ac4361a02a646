import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { patching, webhookServer, type WebhookServer } from '#playground/api/admission/testing/webhook-server.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../../test/kubernetes-place.ts'
import { trial } from '../../../test/trial.ts'
import { kubernetes } from './kubernetes.ts'

let place: KubernetesPlace
let hook: WebhookServer
beforeAll(async () => {
  place = await kubernetesPlace()
  hook = await webhookServer()
})
afterAll(async () => {
  await place?.stop()
  await hook?.close()
})

const configMap = (data: JsonObject) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mutated', namespace: place.namespace }, data })

test('what a mutating webhook makes of our apply is neither a change to come nor a write, and Git’s next change goes through', async ({ skip }) => {
  if (place.cluster.objects === undefined) return skip('a real cluster may not reach a webhook of this machine')
  await place.write({
    apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata: { name: place.namespace },
    webhooks: [{
      name: 'mutates.example.dev', clientConfig: { url: `${hook.url}/admit`, caBundle: hook.caBundle }, sideEffects: 'None', admissionReviewVersions: ['v1'],
      rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE', 'UPDATE'] }],
    }],
  })
  // It rewrites a value that we declare, and adds one that we do not.
  hook.answer = ({ object }) => {
    const { declared } = (object as { data: { declared: string } }).data
    return patching([{ op: 'replace', path: '/data/declared', value: declared.toUpperCase() }, { op: 'add', path: '/data/injected', value: 'yes' }])
  }
  const on = trial(kubernetes, place.call)
  const rows = await on.deliver([desiredOf(configMap({ declared: 'a' }))])
  expect(rows[0]?.fields).toContainEqual({ path: 'data.declared', git: 'a', answered: 'A' })
  expect((await place.read(configMap({})))?.['data']).toEqual({ declared: 'A', injected: 'yes' })

  const writes = place.writes?.()
  for (let look = 0; look < 3; look += 1) expect(await on.plan([desiredOf(configMap({ declared: 'a' }))], rows)).toMatchObject([{ action: 'unchanged', changes: [] }])
  expect(place.writes?.()).toBe(writes)

  const second = await on.deliver([desiredOf(configMap({ declared: 'b' }))], rows)
  expect((await place.read(configMap({})))?.['data']).toEqual({ declared: 'B', injected: 'yes' })
  expect(await on.plan([desiredOf(configMap({ declared: 'b' }))], second)).toMatchObject([{ action: 'unchanged', changes: [] }])
})
