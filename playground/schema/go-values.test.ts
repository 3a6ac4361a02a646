import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { decodedBuiltin } from './builtin-decoding.ts'
import { builtinSchemas } from './builtin-schemas.ts'
import { fromProtobufStorage } from './go-values.ts'

function held(apiVersion: string, kind: string, rest: JsonObject): JsonObject {
  const decoded = decodedBuiltin({ apiVersion, kind, metadata: { name: 'x' }, ...rest } as KubernetesObject)
  if ('problem' in decoded) throw new Error(decoded.problem)
  const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...content } = decoded.object
  return content
}

const podWith = (spec: JsonObject): JsonObject => ({ spec: { containers: [{ name: 'c', image: 'i', resources: {} }], ...spec } })

// What a kube-apiserver 1.36.3 answers to these.
describe('an object of a built-in kind is as Go holds it', () => {
  test.each([
    ['v1', 'ConfigMap', { data: {} }, {}],
    ['v1', 'ConfigMap', { data: { a: '', b: null }, binaryData: null, immutable: false }, { data: { a: '', b: '' }, immutable: false }],
    ['v1', 'ServiceAccount', { secrets: [], automountServiceAccountToken: false }, { automountServiceAccountToken: false }],
    ['v1', 'Pod', podWith({ nodeSelector: {}, hostNetwork: false, tolerations: [], securityContext: {}, terminationGracePeriodSeconds: 0 }), podWith({ securityContext: {}, terminationGracePeriodSeconds: 0 })],
    ['v1', 'Pod', podWith({ priorityClassName: '', affinity: { nodeAffinity: {} } }), podWith({ affinity: { nodeAffinity: {} } })],
    ['rbac.authorization.k8s.io/v1', 'Role', {}, { rules: null }],
    ['rbac.authorization.k8s.io/v1', 'Role', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: [] }] }, { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
    ['v1', 'Event', { involvedObject: {} }, { involvedObject: {}, source: {}, eventTime: null, firstTimestamp: null, lastTimestamp: null, reportingComponent: '', reportingInstance: '' }],
    ['scheduling.k8s.io/v1', 'PriorityClass', { globalDefault: false }, { value: 0 }],
  ])('%s %s %j', (apiVersion, kind, said, expected) => {
    expect(held(apiVersion, kind, said)).toEqual(expected)
  })

  test('what comes from storage has no empty list where one is always written', () => {
    const schema = builtinSchemas.schemaOf('discovery.k8s.io/v1', 'EndpointSlice') as Schema
    const slice = { addressType: 'IPv4', endpoints: [], ports: [{ port: 80 }] }
    expect(fromProtobufStorage(slice, schema)).toEqual({ ...slice, endpoints: null })
    const whole = { ...slice, endpoints: [{ addresses: ['10.0.0.1'] }] }
    expect(fromProtobufStorage(whole, schema)).toBe(whole)
  })
})
