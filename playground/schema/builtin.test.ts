import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KubernetesObject } from '#playground/contract.ts'
import { withBuiltinDefaults } from './builtin-defaults.ts'
import { decodedBuiltin } from './builtin-decoding.ts'
import { builtinSchemas } from './builtin-schemas.ts'
import { validateBuiltin } from './builtin-validation.ts'
import { definitionsText } from './definitions-text.ts'
import { atomicMaps, keyDefaults, listKeys, quantities, sets, structs } from './merge-rules.ts'

const make = (apiVersion: string, kind: string, rest: object, name = 'x') => ({ apiVersion, kind, metadata: { name }, ...rest }) as unknown as KubernetesObject

function complete(object: KubernetesObject): KubernetesObject {
  const decoded = decodedBuiltin(object)
  if ('problem' in decoded) throw new Error(decoded.problem)
  return withBuiltinDefaults(decoded.object)
}

const said = (object: KubernetesObject) => validateBuiltin(complete(object), undefined).map(({ field, message }) => `${field}: ${message}`)

const deployment = (container: object, spec: object = {}, pod: object = {}) =>
  make('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i', ...container }], ...pod } }, ...spec } })

describe('schemas', () => {
  test('every kind has one, with its type, its metadata and shared parts', () => {
    const kinds = builtinSchemas.kinds()
    expect(kinds).toHaveLength(40)
    for (const { apiVersion, kind } of kinds) expect(builtinSchemas.schemaOf(apiVersion, kind)?.properties, `${apiVersion} ${kind}`).toHaveProperty('metadata')
    expect(builtinSchemas.schemaOf('apps/v1', 'Deployment')).toBe(builtinSchemas.schemaOf('apps/v1', 'Deployment'))
    expect(builtinSchemas.schemaOf('v1', 'toString')).toBeUndefined()
  })

  test('are described from the client’s type declarations where that is asked for', () => {
    const described = builtinSchemas.describedSchemaOf('apps/v1', 'Deployment')
    expect(described?.description).toMatch(/^Deployment enables declarative updates/)
    expect(described?.properties?.spec?.properties?.replicas?.description).toMatch(/^Number of desired pods/)
    expect(described?.properties?.spec?.properties?.template?.properties?.spec?.properties?.containers?.items?.properties?.image?.description).toContain('Container image name')
    expect(described?.properties?.metadata?.properties?.labels?.description).toContain('Map of string keys and values')
    expect(builtinSchemas.schemaOf('apps/v1', 'Deployment')).not.toHaveProperty('description')
  })

  test('a root knows what its kind is with nothing in it', () => {
    expect(builtinSchemas.schemaOf('apps/v1', 'Deployment')?.default).toEqual({ metadata: {}, spec: { selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } }, status: {} })
    expect(builtinSchemas.schemaOf('v1', 'ConfigMap')?.default).toEqual({ metadata: {} })
  })

  test('the committed definitions are what the generator writes', () => {
    expect(readFileSync(new URL('definitions.json', import.meta.url), 'utf8')).toBe(definitionsText())
  })

  test('every name in our table of rules is a model or a field', () => {
    const { definitions } = JSON.parse(definitionsText()) as { definitions: Record<string, { properties: object }> }
    const named = [...Object.keys(listKeys), ...sets, ...atomicMaps, ...quantities, ...Object.keys(keyDefaults), ...Object.entries(structs).flatMap(([model, fields]) => fields.split(' ').map((field) => `${model}.${field}`))]
    const unknown = named.filter((name) => {
      const [model, field] = name.split('.') as [string, string?]
      return definitions[model] === undefined || (field !== undefined && !Object.hasOwn(definitions[model].properties, field))
    })
    expect(unknown).toEqual([])
  })

  test('lists have their keys, selectors are whole, integers and quantities what they are', () => {
    const spec = builtinSchemas.schemaOf('v1', 'Pod')?.properties?.spec?.properties
    expect(spec?.containers?.['x-kubernetes-list-map-keys']).toEqual(['name'])
    expect(spec?.containers?.items?.properties?.ports?.['x-kubernetes-list-map-keys']).toEqual(['containerPort', 'protocol'])
    expect(spec?.tolerations?.['x-kubernetes-list-type']).toBeUndefined()
    expect(spec?.nodeSelector?.['x-kubernetes-map-type']).toBe('atomic')
    expect(spec?.containers?.items?.required).toEqual(['name'])
    expect(builtinSchemas.schemaOf('v1', 'Service')?.properties?.spec?.properties?.ports?.items?.properties?.targetPort).toEqual({ 'x-kubernetes-int-or-string': true, default: 0 })
  })
})

describe('decoding', () => {
  test.each([
    [deployment({}, { replicas: 'two' }), 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [deployment({ env: [{ name: 'A', value: 5 }] }), 'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string'],
    [deployment({}, { replicas: 1.5 }), 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [deployment({ resources: { limits: { cpu: 'much' } } }), "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [make('v1', 'Secret', { data: { a: 'not base64!' } }), 'illegal base64 data at input byte 3'],
    [make('v1', 'ConfigMap', { data: [] }), 'json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string'],
  ])('a wrong type is told as Go tells it (%#)', (object, problem) => {
    expect(decodedBuiltin(object)).toEqual({ problem })
  })

  test('unknown fields are named and gone, nulls are not said', () => {
    const decoded = decodedBuiltin(deployment({ imgae: 'x', command: null }, { replica: 1 }))
    expect(decoded).toMatchObject({ unknown: ['spec.replica', 'spec.template.spec.containers[0].imgae'] })
    expect(JSON.stringify(decoded)).not.toContain('null')
  })

  test('a kind that is not built in is a mistake of the caller', () => {
    expect(() => decodedBuiltin(make('v9', 'Deployment', {}))).toThrow('v9 Deployment is not built in')
  })
})

describe('defaults', () => {
  test('of a Deployment', () => {
    expect(complete(deployment({ ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } }, {}, { volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 's' } }] })).spec).toEqual({
      progressDeadlineSeconds: 600,
      replicas: 1,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'x' } },
      strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' }, type: 'RollingUpdate' },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: {
          containers: [
            {
              image: 'i',
              imagePullPolicy: 'Always',
              name: 'c',
              ports: [{ containerPort: 80, protocol: 'TCP' }],
              readinessProbe: { failureThreshold: 3, httpGet: { path: '/', port: 80, scheme: 'HTTP' }, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 },
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 30,
          volumes: [
            { emptyDir: {}, name: 'v' },
            { name: 's', secret: { defaultMode: 420, secretName: 's' } },
          ],
        },
      },
    })
  })

  test.each([
    [make('v1', 'Service', { spec: { ports: [{ port: 80 }] } }), { spec: { internalTrafficPolicy: 'Cluster', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], sessionAffinity: 'None', type: 'ClusterIP' }, status: { loadBalancer: {} } }],
    [make('batch/v1', 'Job', { spec: { template: { spec: {} } } }), { spec: { backoffLimit: 6, completions: 1, parallelism: 1, completionMode: 'NonIndexed', suspend: false } }],
    [make('batch/v1', 'Job', { spec: { parallelism: 3, template: {} } }), { spec: { parallelism: 3 } }],
    [make('batch/v1', 'CronJob', { spec: { schedule: '* * * * *' } }), { spec: { concurrencyPolicy: 'Allow', successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, suspend: false } }],
    [make('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 3 } }), { spec: { minReplicas: 1, metrics: [{ type: 'Resource' }] } }],
    [make('v1', 'PersistentVolumeClaim', { spec: {} }), { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    [make('v1', 'Secret', { stringData: { a: 'b' } }), { type: 'Opaque', data: { a: 'Yg==' } }],
    [make('v1', 'Namespace', {}), { metadata: { labels: { 'kubernetes.io/metadata.name': 'x' } }, status: { phase: 'Active' } }],
    [make('networking.k8s.io/v1', 'NetworkPolicy', { spec: { egress: [{}] } }), { spec: { policyTypes: ['Ingress', 'Egress'], podSelector: {} } }],
    [make('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { kind: 'Role', name: 'r' } }), { roleRef: { apiGroup: 'rbac.authorization.k8s.io' } }],
    [make('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { spec: { names: { kind: 'Widget', plural: 'widgets' } } }), { spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } } }],
  ])('of other kinds (%#)', (object, expected) => {
    expect(complete(object)).toMatchObject(expected)
  })

  test('are the same the second time', () => {
    const once = complete(deployment({ image: 'shop/web:1', ports: [{ containerPort: 80 }] }))
    expect(complete(once)).toEqual(once)
  })

  test('leave their argument alone', () => {
    const object = make('v1', 'Secret', { stringData: { a: 'b' } })
    withBuiltinDefaults(object)
    expect(object).toEqual(make('v1', 'Secret', { stringData: { a: 'b' } }))
  })
})

describe('validation', () => {
  test('a Deployment, a StatefulSet with a claim, a Service and an Ingress as teams write them are valid', () => {
    expect(said(deployment({ ports: [{ containerPort: 8080, name: 'http' }], volumeMounts: [{ name: 'v', mountPath: '/v' }] }, {}, { volumes: [{ name: 'v' }] }))).toEqual([])
    const data = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
    const { template, selector } = deployment({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }).spec as Record<string, object>
    expect(said(make('apps/v1', 'StatefulSet', { spec: { serviceName: 'x', selector, template, volumeClaimTemplates: [data] } }))).toEqual([])
    expect(said(make('v1', 'Service', { spec: { selector: { app: 'x' }, ports: [{ port: 80, targetPort: 'http' }] } }))).toEqual([])
    const backend = { service: { name: 'web', port: { number: 80 } } }
    expect(said(make('networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ host: 'h', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] } }))).toEqual([])
  })

  test.each([
    [deployment({ image: '' }), ['spec.template.spec.containers[0].image: Required value']],
    [deployment({ name: 'A_b' }), [expect.stringContaining('spec.template.spec.containers[0].name: Invalid value: "A_b": a lowercase RFC 1123 label must consist of')]],
    [deployment({}, { replicas: -1 }), ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [deployment({}, { selector: null }), ['spec.selector: Required value', 'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`']],
    [deployment({}, { selector: { matchLabels: { app: 'y' } } }), ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`']],
    [deployment({}, { selector: {} }), ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
    [deployment({}, {}, { containers: [] }), ['spec.template.spec.containers: Required value']],
    [deployment({}, {}, { restartPolicy: 'Never' }), ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']],
    [deployment({ ports: [{ containerPort: 70_000 }] }), ['spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive']],
    [deployment({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }), ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"']],
    [deployment({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }), ['spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']],
    [make('v1', 'Service', { spec: {} }), ['spec.ports: Required value']],
    [make('v1', 'Service', { spec: { ports: [{ port: 1 }, { port: 2, name: 'b' }] } }), ['spec.ports[0].name: Required value']],
    [make('v1', 'ConfigMap', { data: { 'a b': 'x' } }), [expect.stringContaining('data[a b]: Invalid value: "a b": a valid config key must consist of')]],
    [make('batch/v1', 'CronJob', { spec: { schedule: 'daily', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } } } }), ['spec.schedule: Invalid value: "daily": expected exactly 5 fields, found 1: [daily]']],
    [make('v1', 'PersistentVolumeClaim', { spec: {} }), ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value']],
    [make('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 1, minReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } } }), ['spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`']],
    [make('v1', 'Namespace', {}, 'a.b'), ['metadata.name: Invalid value: "a.b": must not contain dots']],
  ])('what is wrong is told with its field (%#)', (object, expected) => {
    expect(said(object)).toEqual(expected)
  })

  test('names of roles may be what a path may hold', () => {
    const role = (name: string) => said(make('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }, name))
    expect(role('system:node')).toEqual([])
    expect(role('a/b')).toEqual(["metadata.name: Invalid value: \"a/b\": may not contain '/'"])
  })
})
