import { Agent } from 'node:https'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type TestServer, testServer } from '../testing.ts'

let running: TestServer
const clock = new FakeClock()
beforeAll(async () => {
  running = await testServer({ clock })
})
afterAll(() => running.end())

const accounts = '/api/v1/namespaces/default/serviceaccounts'
const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const self = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
const asked = (spec: JsonObject = {}): JsonObject => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const who = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
  const { status, body } = await running.ask('POST', whoAmI, self, headers)
  return status === 201 ? (body.status as JsonObject).userInfo : status
}

async function account(name: string): Promise<KubernetesObject> {
  return (await running.ask('POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })).body as KubernetesObject
}

async function tokenFor(name: string, spec: JsonObject = {}): Promise<string> {
  const made = await running.ask('POST', `${accounts}/${name}/token`, asked(spec))
  expect(made.status).toBe(201)
  return (made.body.status as { token: string }).token
}

describe('a service account token', () => {
  test('says who it stands for, and is signed by a key that only its owner reads', async () => {
    const { metadata } = await account('one')
    const made = await running.ask('POST', `${accounts}/one/token`, asked({ expirationSeconds: 600 }))
    expect(made.body).toMatchObject({
      kind: 'TokenRequest',
      metadata: { name: 'one', namespace: 'default' },
      spec: { audiences: ['https://kubernetes.default.svc.cluster.local'], expirationSeconds: 600, boundObjectRef: null },
      status: { expirationTimestamp: '2026-01-01T00:10:00Z' },
    })
    const { token } = made.body.status as { token: string }
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JsonObject
    expect(claims).toMatchObject({ sub: 'system:serviceaccount:default:one', 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'one', uid: metadata.uid } } })
    expect(await who(bearer(token))).toEqual({
      username: 'system:serviceaccount:default:one',
      uid: metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claims.jti)}`] },
    })
    expect(statSync(join(running.dir, 'service-account-key.pem')).mode & 0o777).toBe(0o600)
  })

  test('is worth nothing once its time is over, its account gone, or made again', async () => {
    await account('two')
    const token = await tokenFor('two', { expirationSeconds: 600 })
    expect(await who(bearer(token))).toMatchObject({ username: 'system:serviceaccount:default:two' })
    clock.advance(600_000)
    expect(await who(bearer(token))).toBe(401)
    const fresh = await tokenFor('two')
    await running.ask('DELETE', `${accounts}/two`)
    expect(await who(bearer(fresh))).toBe(401)
    await account('two')
    expect(await who(bearer(fresh))).toBe(401)
  })

  test('goes with the object that it is bound to', async () => {
    await account('bound')
    const secret = await running.ask('POST', '/api/v1/namespaces/default/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'held' } })
    const ref = { apiVersion: 'v1', kind: 'Secret', name: 'held' }
    const token = await tokenFor('bound', { boundObjectRef: ref })
    expect(await who(bearer(token))).toMatchObject({ username: 'system:serviceaccount:default:bound' })
    const other = await running.ask('POST', `${accounts}/bound/token`, asked({ boundObjectRef: { ...ref, uid: 'other' } }))
    expect([other.status, other.body.message]).toEqual([409, expect.stringContaining('the UID in the bound object reference (other) does not match')])
    expect(secret.status).toBe(201)
    await running.ask('DELETE', '/api/v1/namespaces/default/secrets/held')
    expect(await who(bearer(token))).toBe(401)
  })

  test('for another audience is no key to this server, and a TokenReview for that audience knows it', async () => {
    await account('vault')
    const token = await tokenFor('vault', { audiences: ['vault'] })
    expect(await who(bearer(token))).toBe(401)
    const review = (spec: JsonObject): Promise<{ body: JsonObject }> =>
      running.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec })
    expect((await review({ token, audiences: ['vault'] })).body.status).toMatchObject({ authenticated: true, audiences: ['vault'], user: { username: 'system:serviceaccount:default:vault' } })
    expect((await review({ token })).body.status).toMatchObject({ user: {}, error: expect.stringContaining('invalid') })
    expect((await review({ token: 'x' })).body.status).toEqual({ user: {}, error: 'invalid bearer token' })
    expect((await review({})).body.message).toBe('token is required for TokenReview in authentication')
  })

  test.for([
    [{ expirationSeconds: 599 }, 422, 'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'],
    [{ expirationSeconds: 2 ** 33 }, 422, 'may not specify a duration larger than 2^32 seconds'],
    [{ boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } }, 400, 'cannot bind token to object of type /v1, Kind=ConfigMap'],
    [{ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'x' } }, 404, 'pods "x" not found'],
  ] as const)('is refused for %o', async ([spec, status, words]) => {
    await account('refused')
    const answer = await running.ask('POST', `${accounts}/refused/token`, JSON.stringify(asked(spec as JsonObject)))
    expect([answer.status, answer.body.message]).toEqual([status, expect.stringContaining(words)])
  })

  test('of others, or changed by a bit, is 401 with a Status', async () => {
    await account('changed')
    const [header = '', payload = '', signature = ''] = (await tokenFor('changed')).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:serviceaccount:kube-system:root' })).toString('base64url')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const token of [`${header}.${forged}.${signature}`, `${none}.${payload}.`, `${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${signature}.x`, 'a.b.c', '.'.repeat(50_000).slice(0, 9000)]) {
      const answer = await running.ask('GET', accounts, undefined, bearer(token))
      expect([answer.status, answer.body]).toEqual([401, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 }])
    }
  })
})

test('broken, huge and hostile questions are refused', async () => {
  const reviews = '/apis/authentication.k8s.io/v1/tokenreviews'
  const access = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const kind = (path: string): string => (path === reviews ? 'TokenReview' : 'SelfSubjectAccessReview')
  for (const path of [reviews, access]) {
    const apiVersion = path.slice('/apis/'.length, path.lastIndexOf('/'))
    const bodies = ['', '{', '[]', 'null', '{"kind":"Pod","apiVersion":"v1"}', ...['[]', '"x"', '{"token":7}', '{"resourceAttributes":[]}', '{"__proto__":{"token":"x"}}'].map((spec) => `{"apiVersion":"${apiVersion}","kind":"${kind(path)}","spec":${spec}}`)]
    for (const body of bodies) {
      const { status } = await running.ask('POST', path, body)
      expect([body, status >= 400 && status < 500]).toEqual([body, true])
    }
  }
  for (const headers of [{ 'impersonate-user': 'constructor' }, { 'impersonate-user': '__proto__', 'impersonate-extra-__proto__': 'x' }, { 'impersonate-user': 'system:serviceaccount:a' }]) {
    expect(await who(headers as unknown as Record<string, string>)).toMatchObject({ username: headers['impersonate-user'] })
  }
  expect(({} as { x?: string }).x).toBeUndefined()
  for (const authorization of ['Bearer', 'Bearer  ', 'Basic YTpi', 'Bearer a b', `Bearer ${'x'.repeat(9000)}`]) expect(await who({ authorization })).toBe(401)
})

describe('a client certificate', () => {
  const certified = async (files: { certificate: string; key: string }, server = running): Promise<unknown> => {
    const agent = new Agent({ ca: server.server.ca, cert: files.certificate, key: files.key })
    try {
      const { status, body } = await server.ask('POST', whoAmI, self, { authorization: '' }, agent)
      return status === 201 ? (body.status as JsonObject).userInfo : status
    } finally {
      agent.destroy()
    }
  }

  test('names its user and his groups', async () => {
    const files = running.server.clientCertificate({ name: 'ada', groups: ['platform', 'on-call'] })
    expect(await certified(files)).toEqual({ username: 'ada', groups: ['platform', 'on-call', 'system:authenticated'] })
  })

  test('of another authority, or out of date, is nobody', async () => {
    const other = await testServer()
    try {
      expect(await certified(other.server.clientCertificate({ name: 'ada', groups: ['system:masters'] }))).toBe(401)
      expect(await certified(running.server.clientCertificate({ name: 'ada', groups: [] }, -0.5))).toBe(401)
    } finally {
      await other.end()
    }
  })
})

describe('impersonation', () => {
  test.for([
    [{ 'impersonate-user': 'bob' }, { username: 'bob', groups: ['system:authenticated'] }],
    [{ 'impersonate-user': 'bob', 'impersonate-group': 'ops' }, { username: 'bob', groups: ['ops', 'system:authenticated'] }],
    [{ 'impersonate-user': 'system:serviceaccount:a:b' }, { username: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'] }],
    [
      { 'impersonate-user': 'bob', 'impersonate-uid': '7', 'impersonate-extra-acme.com%2Fproject': 'x' },
      { username: 'bob', uid: '7', groups: ['system:authenticated'], extra: { 'acme.com/project': ['x'] } },
    ],
    [{ 'impersonate-user': 'system:anonymous' }, 403],
    [{ 'impersonate-group': 'ops' }, 400],
    [{ 'impersonate-uid': '7' }, 400],
  ] as const)('%o', async ([headers, expected]) => {
    expect(await who(headers as Record<string, string>)).toEqual(expected)
  })

  test('is refused, header by header, to who may not', async () => {
    const ada = { 'impersonate-user': 'ada' }
    const rules = [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: ['bob'] }]
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
    await running.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { ...rbac, kind: 'ClusterRole', metadata: { name: 'as-bob' }, rules })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'as-bob' }
    await running.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { ...rbac, kind: 'ClusterRoleBinding', metadata: { name: 'as-bob' }, roleRef, subjects: [{ kind: 'User', name: 'ada', apiGroup: 'rbac.authorization.k8s.io' }] })
    expect(await who(ada)).toMatchObject({ username: 'ada' })
    const files = running.server.clientCertificate({ name: 'ada', groups: [] })
    const agent = new Agent({ ca: running.server.ca, cert: files.certificate, key: files.key })
    const as = async (headers: Record<string, string>): Promise<[number, unknown]> => {
      const { status, body } = await running.ask('POST', whoAmI, self, { authorization: '', ...headers }, agent)
      return [status, body.message]
    }
    try {
      expect((await as({ 'impersonate-user': 'bob' }))[0]).toBe(201)
      expect(await as({ 'impersonate-user': 'eve' })).toEqual([403, 'users "eve" is forbidden: User "ada" cannot impersonate resource "users" in API group "" at the cluster scope'])
      expect(await as({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' })).toEqual([
        403,
        'groups "system:masters" is forbidden: User "ada" cannot impersonate resource "groups" in API group "" at the cluster scope',
      ])
      expect(await as({ 'impersonate-user': 'system:serviceaccount:default:one' })).toEqual([
        403,
        'serviceaccounts "one" is forbidden: User "ada" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
      ])
    } finally {
      agent.destroy()
    }
  })
})
