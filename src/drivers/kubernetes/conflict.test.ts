import { expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import { conflictsOf } from './conflict.ts'

const sent = {
  metadata: { labels: { 'app.kubernetes.io/name': 'a', app: 'b' }, finalizers: ['x.dev/a[b]'] },
  spec: { replicas: 2, template: { containers: [{ name: 'main', image: 'app:2', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }] } },
}
const cause = (field: string, message: string) => ({ reason: 'FieldManagerConflict', field, message })
const conflict = (...causes: object[]) => new Failure({ code: 'kubernetes-conflict', subject: 'x', message: 'x', fields: { status: 409, causes: causes as never } })

test('the fields and managers of a conflict are read as the server prints them', () => {
  const failure = conflict(
    cause('.spec.template.containers[name="main"].image', 'conflict with "one"'),
    cause('.spec.replicas', 'conflict with "kubectl" with subresource "scale" using apps/v1'),
    cause('.metadata.labels.app.kubernetes.io/name', 'conflict with "two" using v1'),
    cause('.metadata.labels.app', 'conflict with "two" using v1'),
    cause('.spec.template.containers[name="main"].ports[containerPort=80,protocol="TCP"].name', 'conflict with "one"'),
    cause('.metadata.finalizers[="x.dev/a[b]"]', 'conflict with "say \\"hi\\""'),
  )
  expect(conflictsOf(failure, sent)).toEqual([
    { path: 'metadata.finalizers[="x.dev/a[b]"]', manager: 'say \\"hi\\"' },
    { path: 'metadata.labels.app', manager: 'two' },
    { path: 'metadata.labels["app.kubernetes.io/name"]', manager: 'two' },
    { path: 'spec.replicas', manager: 'kubectl' },
    { path: 'spec.template.containers[name="main"].image', manager: 'one' },
    { path: 'spec.template.containers[name="main"].ports[containerPort=80,protocol="TCP"].name', manager: 'one' },
  ])
})

test('a conflict of versions has none, and what makes no sense is told as it is', () => {
  expect(conflictsOf(conflict(), sent)).toEqual([])
  expect(conflictsOf(new Failure({ code: 'kubernetes-conflict', subject: 'x', message: 'x', fields: { causes: 'x' } }), sent)).toEqual([])
  expect(conflictsOf(conflict({ reason: 'FieldManagerConflict' }), sent)).toEqual([{ path: '', manager: 'another manager' }])
  expect(conflictsOf(conflict(cause('.spec[[[', 'x')), sent)).toEqual([{ path: 'spec[[[', manager: 'another manager' }])
})
