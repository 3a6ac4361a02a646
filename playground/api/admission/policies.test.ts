import { Agent } from 'node:https'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { type TestServer, testServer } from '../testing.ts'

let running: TestServer
beforeAll(async () => {
  running = await testServer()
})
afterAll(() => running.end())

const root = '/apis/admissionregistration.k8s.io/v1'
const configMaps = '/api/v1/namespaces/default/configmaps'
const configMap = (data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'judged', ...metadata }, data })
const constraints = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE', 'UPDATE', 'DELETE'] }] }

async function enforce(spec: JsonObject, binding: JsonObject = {}): Promise<void> {
  const meta = { apiVersion: 'admissionregistration.k8s.io/v1' }
  const policy = await running.ask('POST', `${root}/validatingadmissionpolicies`, { ...meta, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'policy' }, spec: { matchConstraints: constraints, ...spec } })
  expect([policy.status, policy.body.message]).toEqual([201, undefined])
  const bound = { policyName: 'policy', validationActions: ['Deny'], ...binding }
  const made = await running.ask('POST', `${root}/validatingadmissionpolicybindings`, { ...meta, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'binding' }, spec: bound })
  expect([made.status, made.body.message]).toEqual([201, undefined])
}

afterEach(async () => {
  await running.ask('DELETE', `${root}/validatingadmissionpolicies`)
  await running.ask('DELETE', `${root}/validatingadmissionpolicybindings`)
  await running.ask('DELETE', configMaps)
})

const create = (object: JsonObject = configMap(), headers?: Record<string, string>): ReturnType<TestServer['ask']> => running.ask('POST', configMaps, object, headers)
const denied = (message: string): string => `configmaps "judged" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: ${message}`

describe('a policy that denies', () => {
  test('answers as a real server does', async () => {
    await enforce({ validations: [{ expression: "object.data.team != ''", message: 'a team is needed' }] })
    const { status, body } = await create(configMap({ team: '' }))
    const why = "ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: a team is needed"
    expect([status, body]).toEqual([
      422,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `configmaps "judged" is forbidden: ${why}`,
        reason: 'Invalid',
        details: { name: 'judged', kind: 'configmaps', causes: [{ message: why }] },
        code: 422,
      },
    ])
    expect((await create(configMap({ team: 'orders' }))).status).toBe(201)
    expect((await running.ask('PATCH', `${configMaps}/judged`, { data: { team: '' } })).status).toBe(422)
    expect((await running.ask('PATCH', `${configMaps}/judged?fieldManager=x&force=true`, configMap({ team: '' }), { 'content-type': 'application/apply-patch+yaml' })).status).toBe(422)
  })

  const validations: readonly (readonly [JsonObject, number, string])[] = [
    [{ expression: 'false' }, 422, 'failed expression: false'],
    [{ expression: 'false', reason: 'Forbidden', message: ' spaced ' }, 403, 'spaced'],
    [{ expression: 'false', reason: 'Unauthorized' }, 401, 'failed expression: false'],
    [{ expression: 'false', reason: 'RequestEntityTooLarge' }, 413, 'failed expression: false'],
    [{ expression: 'false', message: 'other', messageExpression: "'no ' + object.metadata.name" }, 422, 'no judged'],
    [{ expression: 'false', message: 'other', messageExpression: "object.metadata.nothing" }, 422, 'other'],
    [{ expression: 'false', message: 'other', messageExpression: "'two\\nlines'" }, 422, 'other'],
    [{ expression: 'object.spec.replicas == 1' }, 422, "expression 'object.spec.replicas == 1' resulted in error: no such key: spec"],
  ]
  test.for(validations)('%j', async ([validation, status, message]) => {
    await enforce({ validations: [validation] })
    const refused = await create()
    expect([refused.status, refused.body.message]).toEqual([status, denied(message)])
  })

  test('judges what controllers write, and deletes, and dry runs', async () => {
    await create()
    await enforce({ validations: [{ expression: "request.operation != 'DELETE' && request.userInfo.username != 'system:kube-controller-manager'", message: 'no' }] })
    const resource = { group: '', version: 'v1', plural: 'configmaps' }
    expect(() => running.server.objects.create(resource, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own', namespace: 'default' } }, 'x')).toThrow(/denied request: no/)
    expect((await running.ask('DELETE', `${configMaps}/judged`)).status).toBe(422)
    expect((await running.ask('DELETE', configMaps)).status).toBe(422)
    expect((await running.ask('PATCH', `${configMaps}/judged?dryRun=All`, { data: { a: 'b' } })).status).toBe(200)
  })

  test('is obeyed no more once it, or its binding, is gone', async () => {
    await enforce({ validations: [{ expression: 'false' }] })
    expect((await create()).status).toBe(422)
    await running.ask('DELETE', `${root}/validatingadmissionpolicybindings/binding`)
    expect((await create()).status).toBe(201)
  })
})

describe('what an expression sees', () => {
  test.for([
    ["request.name == 'judged' && request.namespace == 'default' && request.operation == 'CREATE' && !request.dryRun"],
    ["request.kind.kind == 'ConfigMap' && request.kind.group == '' && request.resource.resource == 'configmaps'"],
    ["'system:masters' in request.userInfo.groups && request.userInfo.username == 'kubernetes-admin'"],
    ['oldObject == null && params == null'],
    ["namespaceObject.metadata.name == 'default' && namespaceObject.status.phase == 'Active'"],
    ["object.metadata.?labels['app'].orValue('none') == 'none'"],
    ["object.data.all(key, key.startsWith('t')) && size(object.data) == 1 && int(object.data.two) + 1 == 3"],
    ["quantity('1Gi').isGreaterThan(quantity('500Mi'))"],
    ["authorizer.group('').resource('pods').namespace('default').check('create').allowed()"],
    ["!authorizer.serviceAccount('default', 'nobody').group('apps').resource('deployments').name('x').check('delete').allowed()"],
    ["authorizer.path('/healthz').check('GET').allowed() && authorizer.requestResource.check('update').allowed()"],
    ["authorizer.serviceAccount('default', 'nobody').group('').resource('pods').subresource('log').check('get').reason() == ''"],
    ['variables.twice == 4 && variables.list.size() == 2'],
  ])('%s', async ([expression = '']) => {
    const variables = [
      { name: 'two', expression: 'int(object.data.two)' },
      { name: 'twice', expression: 'variables.two * 2' },
      { name: 'list', expression: '[variables.two, variables.twice]' },
      { name: 'broken', expression: 'object.nothing.at.all' },
    ]
    await enforce({ variables, validations: [{ expression }] })
    const made = await create(configMap({ two: '2' }))
    expect([made.status, made.body.message]).toEqual([201, undefined])
  })

  test('the old object and the new one on an update', async () => {
    await create(configMap({ size: '2' }))
    await enforce({ validations: [{ expression: 'oldObject == null || int(object.data.size) >= int(oldObject.data.size)', message: 'may only grow' }] })
    expect((await running.ask('PATCH', `${configMaps}/judged`, { data: { size: '3' } })).status).toBe(200)
    expect((await running.ask('PATCH', `${configMaps}/judged`, { data: { size: '1' } })).body.message).toBe(denied('may only grow'))
  })

  test('the error of a variable is that of whoever looks at it', async () => {
    await enforce({ variables: [{ name: 'broken', expression: 'object.nothing' }], validations: [{ expression: 'variables.broken == 1' }] })
    expect((await create()).body.message).toMatch(/composited variable "broken" fails to evaluate: .*no such key: nothing/)
  })

  test('a Scale at the scale subresource', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const deployments = '/apis/apps/v1/namespaces/default/deployments'
    expect((await running.ask('POST', deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })).status).toBe(201)
    const rules = [{ apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments/scale'], operations: ['UPDATE'] }]
    await enforce({ matchConstraints: { resourceRules: rules }, validations: [{ expression: "object.kind == 'Scale' && object.spec.replicas <= oldObject.spec.replicas + 2", message: 'too many at once' }] })
    expect((await running.ask('PATCH', `${deployments}/d/scale`, { spec: { replicas: 9 } })).body.message).toMatch(/deployments\.apps "d" is forbidden: .* too many at once/)
    expect((await running.ask('PATCH', `${deployments}/d/scale`, { spec: { replicas: 3 } })).status).toBe(200)
    expect((await running.ask('PATCH', `${deployments}/d`, { spec: { replicas: 9 } })).status).toBe(200)
  })
})

test('an eviction is judged as such, not as the deletion that it becomes', async () => {
  const pods = '/api/v1/namespaces/default/pods'
  const evict = (name: string): ReturnType<TestServer['ask']> => running.ask('POST', `${pods}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
  const pod = (name: string): ReturnType<TestServer['ask']> => running.ask('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  const on = (resource: string, operation: string): JsonObject => ({ resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: [resource], operations: [operation] }] })
  await pod('a')
  await pod('b')
  await enforce({ matchConstraints: on('pods', 'DELETE'), validations: [{ expression: 'false' }] })
  expect([(await running.ask('DELETE', `${pods}/a`)).status, (await evict('a')).status, (await running.ask('GET', `${pods}/a`)).status]).toEqual([422, 201, 404])
  await running.ask('DELETE', `${root}/validatingadmissionpolicies`)
  await running.ask('DELETE', `${root}/validatingadmissionpolicybindings`)
  const shown = "[request.kind.group, request.kind.version, request.kind.kind, request.resource.resource, request.subResource, object.kind, object.apiVersion, object.metadata.name, request.name, string(oldObject == null)].join(' ')"
  await enforce({ matchConstraints: on('pods/eviction', 'CREATE'), validations: [{ expression: 'false', messageExpression: shown }] })
  expect((await evict('b')).body).toMatchObject({ code: 422, reason: 'Invalid', message: "pods \"b\" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: policy v1 Eviction pods eviction Eviction policy/v1 b b true", details: { name: 'b', kind: 'pods' } })
})

describe('a kind of several versions', () => {
  beforeAll(async () => {
    const version = (name: string, storage: boolean): JsonObject => ({ name, served: true, storage, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } } } })
    const spec = { group: 'example.dev', scope: 'Namespaced', names: { plural: 'boxes', kind: 'Box' }, versions: [version('v1', true), version('v2', false)] }
    const made = await running.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boxes.example.dev' }, spec })
    expect(made.status).toBe(201)
  })
  const box = (size: number): JsonObject => ({ apiVersion: 'example.dev/v2', kind: 'Box', metadata: { generateName: 'box-' }, spec: { size } })
  const rules = [{ apiGroups: ['example.dev'], apiVersions: ['v1'], resources: ['boxes'], operations: ['CREATE'] }]
  const post = (size: number): ReturnType<TestServer['ask']> => running.ask('POST', '/apis/example.dev/v2/namespaces/default/boxes', box(size))

  test('is judged in the version that the policy names, whichever is written', async () => {
    const seen = "object.apiVersion == 'example.dev/v1' && request.kind.version == 'v1' && request.requestKind.version == 'v2'"
    await enforce({ matchConstraints: { resourceRules: rules }, validations: [{ expression: seen }, { expression: 'object.spec.size < 3', message: 'too large' }] })
    expect((await post(2)).status).toBe(201)
    expect((await post(3)).body.message).toMatch(/^boxes\.example\.dev "box-\w{5}" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: too large$/)
  })

  test('is let be in another version where the match is to be exact', async () => {
    await enforce({ matchConstraints: { resourceRules: rules, matchPolicy: 'Exact' }, validations: [{ expression: 'false' }] })
    expect((await post(3)).status).toBe(201)
  })
})

describe('parameters', () => {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }
  const limits = '/api/v1/namespaces/kube-system/configmaps'
  const validations = [{ expression: 'params == null || size(object.data) <= int(params.data.most)', messageExpression: "'at most ' + params.data.most" }]
  beforeAll(async () => {
    for (const [name, most] of [['one', '1'], ['two', '2']] as const) {
      await running.ask('POST', limits, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { limits: 'yes' } }, data: { most } })
    }
  })
  const named = (name: string, more: JsonObject = {}): JsonObject => ({ paramRef: { name, namespace: 'kube-system', parameterNotFoundAction: 'Deny', ...more } })
  const cases: readonly (readonly [JsonObject, JsonObject, string | undefined])[] = [
    [named('two'), {}, undefined],
    [named('one'), {}, 'at most 1'],
    [{ paramRef: { selector: { matchLabels: { limits: 'yes' } }, namespace: 'kube-system', parameterNotFoundAction: 'Deny' } }, {}, 'at most 1'],
    [named('gone'), {}, 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'],
    [named('gone', { parameterNotFoundAction: 'Allow' }), {}, undefined],
    [named('gone'), { failurePolicy: 'Ignore' }, undefined],
    [{}, {}, undefined],
  ]
  test.for(cases)('%j %j', async ([binding, spec, message]) => {
    await enforce({ paramKind, validations, ...spec }, binding)
    const made = await create(configMap({ a: '1', b: '2' }))
    expect(made.body.message).toBe(message === undefined ? undefined : denied(message))
  })

  test('of a kind that nobody serves refuse everything that the policy is about', async () => {
    await enforce({ paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' }, validations: [{ expression: 'true' }] }, { paramRef: { name: 'x', parameterNotFoundAction: 'Allow' } })
    const message = "ValidatingAdmissionPolicy 'policy' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'"
    expect((await create()).body.message).toBe(`configmaps "judged" is forbidden: ${message}`)
  })
})

describe('what becomes of a verdict', () => {
  test('is told as a warning, and kept for an audit, where it is not to deny', async () => {
    await enforce({ validations: [{ expression: 'false', message: 'careful' }], auditAnnotations: [{ key: 'seen', valueExpression: "'by ' + request.userInfo.username" }] }, { validationActions: ['Warn', 'Audit'] })
    const events: JsonObject[] = []
    const end = running.server.auditTo({ write: (event) => void events.push(event), stop: async () => {} })
    const made = await create()
    await end()
    expect([made.status, made.headers.warning]).toEqual([201, "299 - \"Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': careful\""])
    const annotations = events.at(-1)?.annotations as Record<string, string>
    expect(annotations['policy/seen']).toBe('by kubernetes-admin')
    expect(JSON.parse(annotations['validation.policy.admission.k8s.io/validation_failure'] ?? '')).toEqual([
      { message: 'careful', policy: 'policy', binding: 'binding', expressionIndex: 0, validationActions: ['Warn', 'Audit'] },
    ])
  })

  test.for([
    [{ failurePolicy: 'Ignore', validations: [{ expression: 'object.no.such == 1' }] }, 201],
    [{ failurePolicy: 'Ignore', validations: [{ expression: 'object.no.such == 1' }, { expression: 'false' }] }, 422],
    [{ matchConditions: [{ name: 'never', expression: 'false' }], validations: [{ expression: 'false' }] }, 201],
    [{ matchConditions: [{ name: 'broken', expression: 'object.no.such' }, { name: 'never', expression: 'false' }], validations: [{ expression: 'false' }] }, 201],
    [{ matchConditions: [{ name: 'broken', expression: 'object.no.such' }], validations: [{ expression: 'true' }] }, 422],
    [{ matchConditions: [{ name: 'broken', expression: 'object.no.such' }], validations: [{ expression: 'false' }], failurePolicy: 'Ignore' }, 201],
  ] as const)('%j', async ([spec, status]) => {
    await enforce(spec as unknown as JsonObject)
    expect((await create()).status).toBe(status)
  })

  test.for([
    [{ matchResources: { namespaceSelector: { matchLabels: { tier: 'production' } } } }, 201],
    [{ matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } } }, 422],
    [{ matchResources: { objectSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }] } } }, 201],
    [{ matchResources: { excludeResourceRules: [{ apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'], operations: ['*'], resourceNames: ['judged'] }] } }, 201],
  ] as const)('a binding narrows: %j', async ([binding, status]) => {
    await enforce({ validations: [{ expression: 'false' }] }, binding as unknown as JsonObject)
    expect((await create()).status).toBe(status)
  })

  test('one that costs too much is ended, and refuses', async () => {
    const list = `[${Array.from({ length: 100 }, (_, index) => index).join(',')}]`
    await enforce({ validations: [{ expression: `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))` }] })
    expect((await create()).body.message).toMatch(/resulted in error: operation cancelled: actual cost limit exceeded$/)
  })

  test('the server starts, and can be mended, whatever is denied', async () => {
    const first = await testServer()
    const everything = { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*', '*/*'], operations: ['*'] }] }
    const meta = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'nothing' } }
    const spec = { matchConstraints: everything, validations: [{ expression: 'false' }] }
    expect((await first.ask('POST', `${root}/validatingadmissionpolicies`, { ...meta, kind: 'ValidatingAdmissionPolicy', spec })).status).toBe(201)
    const bound = { ...meta, kind: 'ValidatingAdmissionPolicyBinding', spec: { policyName: 'nothing', validationActions: ['Deny'] } }
    expect((await first.ask('POST', `${root}/validatingadmissionpolicybindings`, bound)).status).toBe(201)
    expect((await first.ask('DELETE', '/apis/rbac.authorization.k8s.io/v1/clusterroles/view')).status).toBe(422)
    await first.server.stop()
    const again = await testServer({ dir: first.dir })
    try {
      expect((await again.ask('POST', configMaps, configMap())).status).toBe(422)
      expect((await again.ask('DELETE', `${root}/validatingadmissionpolicies/nothing`)).status).toBe(200)
      expect((await again.ask('POST', configMaps, configMap())).status).toBe(201)
    } finally {
      await again.end()
    }
  })

  test('a hanging regular expression is ended', async () => {
    await enforce({ validations: [{ expression: `'${'a'.repeat(60)}!'.matches('^(a+)+$')` }] })
    expect((await create()).body.message).toBe(denied('validation failed due to running out of cost budget, no further validation rules will be run'))
  })

  test.for([
    [{ validations: [{ expression: 'nosuch(1)' }] }, 'spec.validations[0].expression'],
    [{ validations: [{ expression: '1 + 1' }] }, 'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool'],
    [{ validations: [{ expression: 'true', messageExpression: '1' }] }, 'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string'],
    [{ variables: [{ name: 'v', expression: '(' }], validations: [{ expression: 'true' }] }, 'spec.variables[0].expression'],
    [{ matchConditions: [{ name: 'm', expression: 'who' }], validations: [{ expression: 'true' }] }, 'spec.matchConditions[0].expression'],
    [{ validations: [{ expression: '('.repeat(3000) }] }, 'spec.validations[0].expression'],
  ] as const)('a policy that cannot be read is refused: %#', async ([spec, words]) => {
    const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: 'policy' }, spec: { matchConstraints: constraints, ...spec } }
    const refused = await running.ask('POST', `${root}/validatingadmissionpolicies`, JSON.stringify(policy))
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining(words)])
  })

  test('comes after the question whether the user may write at all, and after the schema', async () => {
    await enforce({ validations: [{ expression: 'false', message: 'policy' }] })
    const files = running.server.clientCertificate({ name: 'nobody', groups: [] })
    const agent = new Agent({ ca: running.server.ca, cert: files.certificate, key: files.key })
    try {
      expect((await running.ask('POST', configMaps, configMap(), { authorization: '' }, agent)).body.message).toMatch(/^configmaps is forbidden: User "nobody" cannot create resource "configmaps"/)
      expect((await create(configMap({}, { name: 'Not Valid' }))).body.message).toMatch(/metadata\.name: Invalid value/)
    } finally {
      agent.destroy()
    }
  })
})
