import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { type TestServer, testServer } from '../testing.ts'
import { Authorizer } from './authorizer.ts'
import { RoleIndex } from './role-index.ts'
import { Storage } from '../storage.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let running: TestServer
beforeAll(async () => {
  running = await testServer()
  for (const name of ['a', 'b']) await running.ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
})
afterAll(() => running.end())

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'
const rule = (apiGroups: string, resources: string, verbs: string, resourceNames?: string): JsonObject => ({
  apiGroups: apiGroups.split(' '),
  resources: resources.split(' '),
  verbs: verbs.split(' '),
  ...(resourceNames === undefined ? {} : { resourceNames: resourceNames.split(' ') }),
})
const role = (name: string, rules: JsonObject[]): JsonObject => ({ apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata: { name }, rules })
const clusterRole = (name: string, rules: JsonObject[]): JsonObject => ({ ...role(name, rules), kind: 'ClusterRole' })
const binding = (name: string, kind: 'Role' | 'ClusterRole', to: string, subject: JsonObject): JsonObject => ({
  apiVersion: `${apiGroup}/v1`,
  kind: 'RoleBinding',
  metadata: { name },
  roleRef: { apiGroup, kind, name: to },
  subjects: [subject.kind === 'ServiceAccount' ? subject : { apiGroup, ...subject }],
})
const clusterBinding = (name: string, to: string, subject: JsonObject): JsonObject => ({ ...binding(name, 'ClusterRole', to, subject), kind: 'ClusterRoleBinding' })

async function give(...[path, object]: [string, JsonObject]): Promise<void> {
  const made = await running.ask('POST', `${rbac}/${path}`, object)
  expect([made.status, made.body.message]).toEqual([201, undefined])
}

type As = { readonly user: string; readonly group?: string }
const as = ({ user, group }: As, more: Record<string, string> = {}): Record<string, string> => ({ 'impersonate-user': user, ...(group === undefined ? {} : { 'impersonate-group': group }), ...more })
const asked = async (who: As, method: string, path: string, body?: JsonObject, headers?: Record<string, string>): Promise<[number, unknown]> => {
  const answer = await running.ask(method, path, body, as(who, headers))
  return [answer.status, answer.body.message]
}

describe('what nobody has given', () => {
  const eve = { user: 'eve' }
  test.for([
    ['GET', '/api/v1/namespaces/a/secrets/s', 'secrets "s" is forbidden: User "eve" cannot get resource "secrets" in API group "" in the namespace "a"'],
    ['GET', '/api/v1/nodes', 'nodes is forbidden: User "eve" cannot list resource "nodes" in API group "" at the cluster scope'],
    ['GET', '/api/v1/pods?watch=1', 'pods is forbidden: User "eve" cannot watch resource "pods" in API group "" at the cluster scope'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deployments.apps is forbidden: User "eve" cannot deletecollection resource "deployments" in API group "apps" in the namespace "a"'],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'deployments.apps "d" is forbidden: User "eve" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a"'],
    ['GET', '/apis/no.such/v1/things', 'things.no.such is forbidden: User "eve" cannot list resource "things" in API group "no.such" at the cluster scope'],
    ['GET', '/metrics', 'forbidden: User "eve" cannot get path "/metrics"'],
  ] as const)('%s %s is 403', async ([method, path, message]) => {
    expect(await asked(eve, method, path)).toEqual([403, message])
  })

  test('has the details of a real server’s refusal', async () => {
    const { body } = await running.ask('GET', '/apis/apps/v1/namespaces/a/deployments/d', undefined, as(eve))
    expect(body).toMatchObject({ status: 'Failure', reason: 'Forbidden', details: { name: 'd', group: 'apps', kind: 'deployments' }, code: 403 })
  })

  test.for(['/api', '/apis', '/apis/apps/v1', '/openapi/v3', '/version', '/healthz'])('%s is for everybody who is known', async (path) => {
    expect((await asked(eve, 'GET', path))[0]).toBe(200)
  })
})

describe('a role', () => {
  test('holds where it is bound, and for the names, verbs and parts that it names', async () => {
    await give('namespaces/a/roles', role('reader', [rule('', 'configmaps', 'get list'), rule('', 'secrets', 'get', 'one'), rule('apps', 'deployments/scale', 'get')]))
    await give('namespaces/a/rolebindings', binding('reader', 'Role', 'reader', { kind: 'User', name: 'rob' }))
    const rob = { user: 'rob' }
    const status = async (method: string, path: string): Promise<number> => (await asked(rob, method, path))[0]
    expect(await status('GET', '/api/v1/namespaces/a/configmaps')).toBe(200)
    expect(await status('GET', '/api/v1/namespaces/b/configmaps')).toBe(403)
    expect(await status('GET', '/api/v1/configmaps')).toBe(403)
    expect(await status('GET', '/api/v1/namespaces/a/configmaps?watch=1')).toBe(403)
    expect(await status('GET', '/api/v1/namespaces/a/secrets/one')).toBe(404)
    expect(await status('GET', '/api/v1/namespaces/a/secrets/two')).toBe(403)
    expect(await status('GET', '/api/v1/namespaces/a/secrets')).toBe(403)
    expect(await status('GET', '/apis/apps/v1/namespaces/a/deployments/d/scale')).toBe(404)
    expect(await status('GET', '/apis/apps/v1/namespaces/a/deployments/d')).toBe(403)
    await running.ask('DELETE', `${rbac}/namespaces/a/rolebindings/reader`)
    expect(await status('GET', '/api/v1/namespaces/a/configmaps')).toBe(403)
  })

  test('of the cluster holds in one namespace by a RoleBinding, and everywhere by a ClusterRoleBinding', async () => {
    await give('namespaces/a/rolebindings', binding('viewers', 'ClusterRole', 'view', { kind: 'Group', name: 'viewers' }))
    await give('clusterrolebindings', clusterBinding('watchers', 'view', { kind: 'ServiceAccount', name: 'bot', namespace: 'b' }))
    const viewer = { user: 'vera', group: 'viewers' }
    expect((await asked(viewer, 'GET', '/api/v1/namespaces/a/pods'))[0]).toBe(200)
    expect((await asked(viewer, 'GET', '/api/v1/namespaces/a/secrets'))[0]).toBe(403)
    expect((await asked(viewer, 'GET', '/api/v1/namespaces/b/pods'))[0]).toBe(403)
    expect((await asked({ user: 'system:serviceaccount:b:bot' }, 'GET', '/api/v1/pods'))[0]).toBe(200)
    expect((await asked({ user: 'system:serviceaccount:a:bot' }, 'GET', '/api/v1/pods'))[0]).toBe(403)
  })

  test('that is missing is told in the refusal', async () => {
    await give('namespaces/b/rolebindings', binding('lost', 'Role', 'lost', { kind: 'User', name: 'lou' }))
    expect((await asked({ user: 'lou' }, 'GET', '/api/v1/namespaces/b/pods'))[1]).toMatch(/: RBAC: role\.rbac\.authorization\.k8s\.io "lost" not found$/)
  })

  test('collects the rules of the roles that it selects, and of those to come', async () => {
    const collecting = { ...clusterRole('monitoring', []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'example.dev/monitoring': 'yes' } }] } }
    await give('clusterroles', collecting)
    await give('clusterrolebindings', clusterBinding('monitoring', 'monitoring', { kind: 'User', name: 'mona' }))
    expect((await asked({ user: 'mona' }, 'GET', '/api/v1/nodes'))[0]).toBe(403)
    await give('clusterroles', { ...clusterRole('nodes', [rule('', 'nodes', 'list')]), metadata: { name: 'nodes', labels: { 'example.dev/monitoring': 'yes' } } })
    expect((await asked({ user: 'mona' }, 'GET', '/api/v1/nodes'))[0]).toBe(200)
    expect((await running.ask('GET', `${rbac}/clusterroles/monitoring`)).body.rules).toEqual([rule('', 'nodes', 'list')])
  })

  test.for([
    ['view', 'GET', '/apis/apps/v1/namespaces/a/deployments', 200],
    ['view', 'DELETE', '/apis/apps/v1/namespaces/a/deployments/d', 403],
    ['edit', 'DELETE', '/apis/apps/v1/namespaces/a/deployments/d', 404],
    ['edit', 'GET', '/api/v1/namespaces/a/secrets', 200],
    ['edit', 'GET', `${rbac}/namespaces/a/roles`, 403],
    ['admin', 'GET', `${rbac}/namespaces/a/roles`, 200],
    ['admin', 'GET', '/api/v1/nodes', 403],
    ['cluster-admin', 'GET', '/api/v1/nodes', 200],
  ] as const)('%s lets %s %s be %i', async ([name, method, path, status]) => {
    const group = `of-${name}`
    if ((await running.ask('GET', `${rbac}/clusterrolebindings/${group}`)).status === 404) {
      if (name === 'cluster-admin') await give('clusterrolebindings', clusterBinding(group, name, { kind: 'Group', name: group }))
      else if ((await running.ask('GET', `${rbac}/namespaces/a/rolebindings/${group}`)).status === 404) await give('namespaces/a/rolebindings', binding(group, 'ClusterRole', name, { kind: 'Group', name: group }))
    }
    expect((await asked({ user: 'who', group }, method, path))[0]).toBe(status)
  })

  test('to apply what is not there yet one must be allowed to create it', async () => {
    await give('namespaces/a/roles', role('patcher', [rule('', 'configmaps', 'patch get')]))
    await give('namespaces/a/rolebindings', binding('patcher', 'Role', 'patcher', { kind: 'User', name: 'pat' }))
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }
    const path = '/api/v1/namespaces/a/configmaps'
    const apply = (): Promise<[number, unknown]> => asked({ user: 'pat' }, 'PATCH', `${path}/c?fieldManager=pat`, config, { 'content-type': 'application/apply-patch+yaml' })
    expect(await apply()).toEqual([403, 'configmaps "c" is forbidden: User "pat" cannot create resource "configmaps" in API group "" in the namespace "a"'])
    await running.ask('POST', path, config)
    expect((await apply())[0]).toBe(200)
  })
})

describe('who writes roles', () => {
  const mia = { user: 'mia', group: 'makers' }
  beforeAll(async () => {
    const writes = rule(apiGroup, 'roles rolebindings', 'create update patch')
    await give('namespaces/a/roles', role('maker', [writes, rule('apps', 'deployments', 'get list'), rule('', 'secrets', 'get', 'one')]))
    await give('namespaces/a/rolebindings', binding('maker', 'Role', 'maker', { kind: 'Group', name: 'makers' }))
  })
  const roles = `${rbac}/namespaces/a/roles`
  const bindings = `${rbac}/namespaces/a/rolebindings`

  test('gives away what he has, and no more', async () => {
    expect((await asked(mia, 'POST', roles, role('less', [rule('apps', 'deployments', 'get'), rule('', 'secrets', 'get', 'one')])))[0]).toBe(201)
    expect(await asked(mia, 'POST', roles, role('more', [rule('apps', 'deployments statefulsets', 'get delete'), rule('', 'secrets', 'get')]))).toEqual([
      403,
      'roles.rbac.authorization.k8s.io "more" is forbidden: user "mia" (groups=["makers" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}\n' +
        '{APIGroups:["apps"], Resources:["deployments"], Verbs:["delete"]}\n' +
        '{APIGroups:["apps"], Resources:["statefulsets"], Verbs:["get" "delete"]}',
    ])
    expect((await asked(mia, 'POST', roles, role('all', [rule('*', '*', '*')])))[0]).toBe(403)
    expect((await asked(mia, 'PATCH', `${roles}/less`, { rules: [rule('*', '*', '*')] }))[0]).toBe(403)
    expect((await asked(mia, 'PATCH', `${roles}/less`, { metadata: { labels: { a: 'b' } } }))[0]).toBe(200)
  })

  test('binds what he has, and no more', async () => {
    const to = { kind: 'User', name: 'friend' }
    expect((await asked(mia, 'POST', bindings, binding('ok', 'Role', 'less', to)))[0]).toBe(201)
    expect((await asked(mia, 'POST', bindings, binding('no', 'ClusterRole', 'cluster-admin', to)))[1]).toMatch(/attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/)
    expect(await asked(mia, 'POST', bindings, binding('gone', 'ClusterRole', 'gone', to))).toEqual([404, 'clusterroles.rbac.authorization.k8s.io "gone" not found'])
  })

  test('does so all the same where he may escalate and bind', async () => {
    await give('namespaces/a/roles', role('trusted', [rule(apiGroup, 'roles', 'escalate'), rule(apiGroup, 'clusterroles', 'bind', 'edit')]))
    await give('namespaces/a/rolebindings', binding('trusted', 'Role', 'trusted', { kind: 'User', name: 'mia' }))
    expect((await asked(mia, 'POST', roles, role('all', [rule('*', '*', '*')])))[0]).toBe(201)
    expect((await asked(mia, 'POST', bindings, binding('edits', 'ClusterRole', 'edit', { kind: 'User', name: 'x' })))[0]).toBe(201)
    expect((await asked(mia, 'POST', bindings, binding('rules', 'ClusterRole', 'cluster-admin', { kind: 'User', name: 'x' })))[0]).toBe(403)
  })
})

describe('questions about access', () => {
  const reviews = '/apis/authorization.k8s.io/v1'
  const review = async (plural: string, kind: string, spec: JsonObject, who?: As): Promise<{ status: number; body: JsonObject }> =>
    running.ask('POST', `${reviews}/${plural}`, { apiVersion: 'authorization.k8s.io/v1', kind, spec }, who === undefined ? {} : as(who))
  const pods = { verb: 'list', resource: 'pods', namespace: 'a' }

  test('about oneself and about others are answered with the reason', async () => {
    const reason = 'RBAC: allowed by RoleBinding "viewers/a" of ClusterRole "view" to Group "viewers"'
    const own = await review('selfsubjectaccessreviews', 'SelfSubjectAccessReview', { resourceAttributes: pods }, { user: 'vera', group: 'viewers' })
    expect([own.status, own.body.status]).toEqual([201, { allowed: true, reason }])
    expect((await review('selfsubjectaccessreviews', 'SelfSubjectAccessReview', { resourceAttributes: pods }, { user: 'eve' })).body.status).toEqual({ allowed: false })
    const of = { user: 'vera', groups: ['viewers'], resourceAttributes: pods }
    expect((await review('subjectaccessreviews', 'SubjectAccessReview', of)).body.status).toEqual({ allowed: true, reason })
    expect((await review('subjectaccessreviews', 'SubjectAccessReview', { user: 'eve', nonResourceAttributes: { path: '/apis', verb: 'get' } })).body.status).toEqual({ allowed: false })
    expect((await review('namespaces/a/localsubjectaccessreviews', 'LocalSubjectAccessReview', of)).body.status).toEqual({ allowed: true, reason })
    expect((await review('namespaces/b/localsubjectaccessreviews', 'LocalSubjectAccessReview', of)).status).toBe(400)
  })

  test('about others are not for everybody', async () => {
    const { status, body } = await review('subjectaccessreviews', 'SubjectAccessReview', { user: 'x', resourceAttributes: pods }, { user: 'eve' })
    expect([status, body.message]).toEqual([403, 'subjectaccessreviews.authorization.k8s.io is forbidden: User "eve" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope'])
  })

  test.for([
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview', {}, /exactly one of nonResourceAttributes or resourceAttributes must be specified/],
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview', { resourceAttributes: {}, nonResourceAttributes: {} }, /exactly one of/],
    ['subjectaccessreviews', 'SubjectAccessReview', { resourceAttributes: {} }, /at least one of user or group must be specified/],
    ['selfsubjectrulesreviews', 'SelfSubjectRulesReview', {}, /no namespace on request/],
  ] as const)('%s: %s %j is refused', async ([plural, kind, spec, words]) => {
    const { status, body } = await review(plural, kind, JSON.parse(JSON.stringify(spec)) as JsonObject)
    expect([status >= 400 && status < 500, body.message]).toEqual([true, expect.stringMatching(words)])
  })

  test('all rules that hold for one', async () => {
    const { body } = await review('selfsubjectrulesreviews', 'SelfSubjectRulesReview', { namespace: 'a' }, { user: 'pat' })
    expect(body.status).toMatchObject({
      resourceRules: expect.arrayContaining([{ verbs: ['patch', 'get'], apiGroups: [''], resources: ['configmaps'] }]),
      nonResourceRules: expect.arrayContaining([{ verbs: ['get'], nonResourceURLs: expect.arrayContaining(['/healthz']) }]),
      incomplete: false,
    })
  })
})

test('a check takes microseconds among a thousand bindings', () => {
  const dir = mkdtempSync(join(tmpdir(), 'roles-'))
  const storage = new Storage(dir)
  for (let index = 0; index < 1000; index += 1) {
    storage.write('ADDED', `${apiGroup}/roles`, { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata: { name: `r${index}`, namespace: `n${index % 50}` }, rules: [rule('apps', 'deployments', 'get')] })
    storage.write('ADDED', `${apiGroup}/rolebindings`, { ...binding(`b${index}`, 'Role', `r${index}`, { kind: 'User', name: `u${index % 100}` }), metadata: { name: `b${index}`, namespace: `n${index % 50}` } } as never)
  }
  const authorizer = new Authorizer(new RoleIndex(storage))
  const question = { resourceRequest: true, verb: 'get', path: '', group: 'apps', version: 'v1', resource: 'deployments', subresource: '', namespace: 'n7', name: 'd' }
  expect(authorizer.check({ name: 'u7', groups: [] }, question).allowed).toBe(true)
  const began = performance.now()
  let allowed = 0
  for (let index = 0; index < 10_000; index += 1) if (authorizer.check({ name: `u${index % 100}`, groups: ['system:authenticated'] }, question).allowed) allowed += 1
  const microseconds = ((performance.now() - began) * 1000) / 10_000
  expect(allowed).toBe(200)
  expect(microseconds).toBeLessThan(50)
  return storage.close().then(() => rmSync(dir, { recursive: true }))
})
