import { expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { BuiltinObject } from './testing/builtin-object.ts'

const web = (containers: readonly object[], spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers } }, ...spec },
})

const part = (containers: readonly object[]) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: { template: { spec: { containers } } } })

const containersOf = (object: BuiltinObject) => (((object.object.spec as JsonObject).template as JsonObject).spec as JsonObject).containers as JsonObject[]

test('an applied Deployment is owned by what was said, with its selector whole and its lists by their keys', () => {
  const object = new BuiltinObject()
  object.apply('one', web([{ name: 'app', image: 'shop/web:1', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }], resources: { limits: { cpu: '1000m' } } }], { replicas: 2 }))
  expect(object.owners()).toEqual({
    'one/Apply': {
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:template': {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"app"}': {
                '.': {},
                'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:image': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                'f:resources': { 'f:limits': { 'f:cpu': {} } },
              },
            },
          },
        },
      },
    },
  })
  expect(containersOf(object)[0]).toMatchObject({ imagePullPolicy: 'IfNotPresent', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: { limits: { cpu: '1' } } })
})

test('a created Deployment is owned by its creator with its defaults, but without the structs that are always there', () => {
  const object = new BuiltinObject()
  object.update('kubectl-create', web([{ name: 'app', image: 'shop/web:1' }]))
  const fields = object.owners()['kubectl-create/Update'] as { 'f:spec': JsonObject }
  expect(fields['f:spec']).not.toHaveProperty(['.'])
  expect(fields['f:spec']['f:strategy']).toEqual({ 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} })
  const template = fields['f:spec']['f:template'] as JsonObject
  expect(template).toMatchObject({ 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } } })
  expect((template['f:spec'] as JsonObject)['f:containers']).not.toHaveProperty(['.'])
  expect((template['f:spec'] as JsonObject)['f:containers']).toHaveProperty(['k:{"name":"app"}', '.'])
})

test('two managers own different containers, variables and ports of one Deployment, and each takes only its own away', () => {
  const object = new BuiltinObject()
  object.apply('one', web([{ name: 'app', image: 'shop/web:1', ports: [{ containerPort: 80, name: 'http' }], env: [{ name: 'A', value: '1' }] }]))
  object.apply(
    'two',
    part([
      { name: 'proxy', image: 'proxy:2' },
      { name: 'app', env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 80, protocol: 'UDP' }] },
    ]),
  )
  expect(containersOf(object).map(({ name }) => name)).toEqual(['proxy', 'app'])
  expect(containersOf(object)[1]).toMatchObject({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
    ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }, { containerPort: 80, protocol: 'UDP' }],
  })
  expect(() => object.apply('two', part([{ name: 'app', image: 'other' }]))).toThrow(
    'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="app"].image',
  )
  object.apply('two', part([{ name: 'app', env: [{ name: 'B', value: '2' }] }]))
  expect(containersOf(object).map(({ name }) => name)).toEqual(['app'])
  expect(containersOf(object)[0]).toMatchObject({ image: 'shop/web:1', ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }] })
})

test('a selector belongs to one owner whole, an equal one is shared', () => {
  const object = new BuiltinObject()
  object.apply('one', web([{ name: 'app', image: 'i' }]))
  const other = { ...part([{ name: 'app' }]), spec: { selector: { matchLabels: { app: 'web', more: 'x' } } } }
  expect(() => object.apply('two', other)).toThrow('conflict with "one": .spec.selector')
  object.apply('two', { ...other, spec: { selector: { matchLabels: { app: 'web' } } } })
  expect(object.owners()['two/Apply']).toEqual({ 'f:spec': { 'f:selector': {} } })
})

test('the ports of a Service are told apart by port and protocol', () => {
  const object = new BuiltinObject()
  const service = (ports: readonly object[]) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports } })
  object.apply('one', service([{ name: 'dns', port: 53 }]))
  object.apply('two', service([{ name: 'dns-udp', port: 53, protocol: 'UDP' }]))
  expect((object.object.spec as JsonObject).ports).toEqual([
    { name: 'dns', port: 53, protocol: 'TCP', targetPort: 53 },
    { name: 'dns-udp', port: 53, protocol: 'UDP', targetPort: 53 },
  ])
  object.apply('one', service([]))
  expect((object.object.spec as JsonObject).ports).toHaveLength(1)
})

test('an apply that says a quantity in another form, or a default, changes nothing but the owners', () => {
  const object = new BuiltinObject()
  const body = web([{ name: 'app', image: 'i', resources: { requests: { memory: '1024Mi', cpu: 0.5 } } }])
  const first = object.apply('one', body)
  const second = object.apply('one', body)
  expect(second).toEqual(first)
  expect(containersOf(object)[0]?.resources).toEqual({ requests: { memory: '1Gi', cpu: '500m' } })
})

test('a scale takes the replicas from their applier, and nothing is recorded where nobody owned them', () => {
  const owned = new BuiltinObject()
  owned.apply('one', web([{ name: 'app', image: 'i' }], { replicas: 2 }))
  owned.scale('hpa', 5)
  expect(owned.owners()['hpa/Update/scale']).toEqual({ 'f:spec': { 'f:replicas': {} } })
  expect((owned.owners()['one/Apply'] as { 'f:spec': JsonObject })['f:spec']).not.toHaveProperty('f:replicas')
  expect(() => owned.apply('one', web([{ name: 'app', image: 'i' }], { replicas: 2 }))).toThrow('conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas')

  const unowned = new BuiltinObject()
  unowned.apply('one', web([{ name: 'app', image: 'i' }]))
  unowned.scale('hpa', 5)
  expect(Object.keys(unowned.owners())).toEqual(['one/Apply'])
})

test('with more than ten updaters the oldest become one', () => {
  const object = new BuiltinObject()
  for (let i = 0; i < 13; i++) {
    const data = Object.fromEntries(Array.from({ length: i + 1 }, (_, key) => [`k${key}`, `${key}`]))
    object.update(`tool-${i}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data })
  }
  expect(Object.keys(object.owners())).toHaveLength(10)
  expect(object.owners()['ancient-changes/Update']).toEqual({ 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} } })
})

test('kubectl takes over without force what it applied from the client’s side and nobody changed', () => {
  const object = new BuiltinObject()
  const map = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data })
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(map({ a: '1' })) }
  object.update('kubectl-client-side-apply', { ...map({ a: '1', b: '1' }), metadata: { name: 'c', annotations } })
  expect(() => object.apply('other', map({ a: '2' }))).toThrow('.data.a')
  expect(() => object.apply('kubectl', map({ a: '2', b: '2' }))).toThrow(/^Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.b$/)
  object.apply('kubectl', map({ a: '2' }))
  expect(object.object.data).toEqual({ a: '2', b: '1' })
  expect((object.object.metadata.annotations as JsonObject)['kubectl.kubernetes.io/last-applied-configuration']).toBe(
    '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n',
  )
})
