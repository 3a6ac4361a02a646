import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { updateRun } from '#store/runs.ts'
import { digestOf } from '#lib/digest.ts'
import { routes } from './routes.ts'
import { createToken, revoke } from './tokens.ts'

let place: ApiPlace
let admin: string
beforeAll(async () => {
  place = await openApiPlace()
  admin = await place.token('root', 'admin')
})
afterAll(() => place.stop())
// What failed to sign in long ago counts no more.
beforeEach(() => place.clock.advance(600_000))

const codeOf = ({ body }: { body: unknown }): string | undefined => (body as { error?: { code: string } }).error?.code

describe('tokens', () => {
  test('none, a wrong one, a malformed one, an expired one and a revoked one get the same answer', async () => {
    const expired = await place.token('late', 'viewer', place.clock.now() + 1000)
    expect((await place.get('/v1/status', expired)).status).toBe(200)
    place.clock.advance(1000)
    const revoked = await place.token('gone', 'viewer')
    await revoke(place.parts, 'gone')
    const answers = [await place.get('/v1/status')]
    for (const token of ['x'.repeat(43), 'short', 'with space'.repeat(5), `${'x'.repeat(43)}=`, 'x'.repeat(5000), expired, revoked]) answers.push(await place.get('/v1/status', token))
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body, answer.headers.get('www-authenticate')]))).size).toBe(1)
    expect(answers[0]).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } })
    expect(answers[0]?.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('another scheme, or the token in the address, is no sign-in', async () => {
    for (const authorization of [admin, `Basic ${admin}`, `bearer ${admin}`, `Bearer  ${admin}`, `Bearer ${admin} `.repeat(2)])
      expect((await place.app.request('/v1/status', { headers: { authorization } })).status).toBe(401)
    expect((await place.get(`/v1/status?access_token=${admin}`)).status).toBe(401)
  })

  test('failed sign-ins are slowed down, and those who are known are not', async () => {
    const app = place.fresh()
    const ask = (token: string): Promise<Response> => Promise.resolve(app.request('/v1/status', { headers: { authorization: `Bearer ${token}` } }))
    expect((await ask(admin)).status).toBe(200)
    const statuses: number[] = []
    for (let at = 0; at < 25; at += 1) statuses.push((await ask(`wrong-${'x'.repeat(40)}`)).status)
    expect(statuses).toEqual([...Array<number>(20).fill(401), ...Array<number>(5).fill(429)])
    const refused = await ask(`wrong-${'x'.repeat(40)}`)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ error: { code: 'rate-limited', retry: 'later' } })
    expect((await ask(admin)).status).toBe(200)
    place.clock.advance(2000)
    expect((await ask(`wrong-${'x'.repeat(40)}`)).status).toBe(401)
  })

  test('a token for a known name tells all that its principal may, and a revoked principal starts from nothing', async () => {
    await createToken(place.parts, { name: 'ci', role: 'operator', environments: ['*'], emails: [] })
    const made = await place.post('/v1/tokens', admin, { name: 'ci', role: 'viewer', environments: ['staging'], forMs: 1000 })
    expect(made.body).toMatchObject({ grants: [{ role: 'operator', environments: ['*'] }, { role: 'viewer', environments: ['staging'] }], expiresAt: new Date(place.clock.now() + 1000).toISOString() })
    expect((await place.post('/v1/principals/ci/revoke', admin, {})).body).toEqual({ done: true })
    expect((await place.post('/v1/principals/ci/revoke', admin, {})).body).toEqual({ done: false })
    const again = await place.post('/v1/tokens', admin, { name: 'ci', role: 'viewer', environments: ['staging'] })
    expect(again.body).toMatchObject({ grants: [{ role: 'viewer', environments: ['staging'] }] })
  })

  test('an address that commits as somebody else is refused', async () => {
    expect((await place.post('/v1/tokens', admin, { name: 'ada', role: 'developer', emails: ['ada@shop.example'] })).status).toBe(200)
    expect(codeOf(await place.post('/v1/tokens', admin, { name: 'eve', role: 'approver', emails: ['Ada@shop.example'] }))).toBe('email-taken')
    const { body } = await place.get('/v1/principals', admin)
    expect(JSON.stringify(body)).not.toContain('"eve"')
  })

  test('a token is answered once, and nowhere else', async () => {
    const { body } = await place.post('/v1/tokens', admin, { name: 'once', role: 'viewer' })
    const { token } = body as { token: string }
    expect(token).toMatch(/^[\w-]{43}$/)
    const rows = await place.store.query('select * from token')
    expect(JSON.stringify([rows, (await place.get('/v1/principals', admin)).body, place.log])).not.toContain(token)
  })
})

describe('bodies, parameters and addresses', () => {
  const pause = (body: unknown) => place.post('/v1/environments/staging/pause', admin, body)

  test.each<[string, unknown, RegExp]>([
    ['that is not JSON', '{"reason": ', /not JSON/],
    ['that is no object', '[]', /expected object/],
    ['that is null', 'null', /expected object/],
    ['nested 100,000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /body/],
    ['with an unknown field', { reason: 'a', forMs: 1, admin: true }, /admin/],
    ['that reaches for the prototype', '{"reason":"a","forMs":1,"__proto__":{"admin":true}}', /__proto__|Unrecognized/],
    ['without a reason', { reason: '', forMs: 1 }, /reason/],
    ['with a reason of blanks', { reason: ' \n ', forMs: 1 }, /reason/],
    ['with a reason of NULs', { reason: 'a\0b', forMs: 1 }, /NUL/],
    ['with half a character', '{"reason":"\\ud800","forMs":1}', /NUL/],
    ['with a pause that never ends', { reason: 'a', forMs: 1e15 }, /forMs/],
    ['with a pause of nothing', { reason: 'a', forMs: 0 }, /forMs/],
    ['with a module of an odd name', { reason: 'a', forMs: 1, module: '../../x' }, /module/],
  ])('a body %s is refused', async (_, body, told) => {
    const answer = await pause(body)
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'request-malformed', subject: 'pause' } } })
    expect((answer.body as { error: { message: string } }).error.message).toMatch(told)
    expect(await place.store.query('select * from pause')).toEqual([])
  })

  test('a huge body is refused before it is read, with and without its length', async () => {
    const body = JSON.stringify({ reason: 'a'.repeat(1024 * 1024), forMs: 1 })
    expect(await pause(body)).toMatchObject({ status: 413, body: { error: { code: 'request-too-large' } } })
    const streamed = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)) })
    const answer = await place.app.request('/v1/environments/staging/pause', { method: 'POST', headers: { authorization: `Bearer ${admin}` }, body: streamed, duplex: 'half' } as RequestInit)
    expect(answer.status).toBe(413)
  })

  test.each(['%00', 'a%0Ab', '%1B[31m', 'x'.repeat(300), '%ED%A0%80', "'; drop table run; --", '%F0%9F%98%80', '..%2F..%2Fetc', 'constructor', '__proto__', '%'])('a run named %s is refused or unknown', async (id) => {
    const answer = await place.get(`/v1/runs/${id}`, admin)
    expect([400, 404]).toContain(answer.status)
    expect(['request-malformed', 'run-unknown', 'route-unknown']).toContain(codeOf(answer))
  })

  test.each(['limit=0', 'limit=201', 'limit=x', 'limit=1.5', 'module=%00', 'envrionment=staging', `environment=${'x'.repeat(500)}`])('the query %s is refused', async (query) => {
    expect(codeOf(await place.get(`/v1/runs?${query}`, admin))).toBe('request-malformed')
  })

  test('nobody learns what is wrong with a body before they are let in', async () => {
    const viewer = await place.token('viewer', 'viewer')
    expect(codeOf(await place.post('/v1/environments/staging/pause', viewer, '{'))).toBe('forbidden')
    expect(codeOf(await place.post('/v1/environments/staging/pause', undefined, '{'))).toBe('unauthenticated')
  })

  test('nothing that was sent made a defect', () => {
    expect(place.log).toEqual([])
  })
})

describe('answers', () => {
  // These read a repository or a cluster, and this place has none: stories ask them (`adopt`, `operation`, `drift`), without this comparison.
  const elsewhere = new Set(['import', 'adoptionPatch', 'operations', 'fields'])
  const needs: Readonly<Record<string, string>> = { timeline: '?since=2026-01-01T00:00:00Z' }
  test.each(routes.filter((route) => route.method === 'get' && !elsewhere.has(route.id)).map((route) => route.id))('%s gives all that its schema says, and nothing else', async (id) => {
    const raw = place.fresh(routes.map((route) => ({ ...route, answer: z.any() })))
    const path = (routes.find((route) => route.id === id)?.path ?? '').replace('{run}', 'latest').replace('{finding}', 'f-of-staging').replace('{environment}', 'staging') + (needs[id] ?? '')
    const answer = await raw.request(path, { headers: { authorization: `Bearer ${admin}` } })
    expect(answer.status).toBe(200)
    expect((await place.get(path, admin)).body).toEqual(await answer.json())
  })

  test.each(['/healthz', '/openapi.json', '/v1/status', '/nowhere', '/v1/webhooks'])('%s bears the security headers', async (path) => {
    const answer = await place.app.request(path)
    const shown = ['x-content-type-options', 'content-security-policy', 'cache-control', 'referrer-policy', 'cross-origin-resource-policy'].map((name) => answer.headers.get(name))
    expect(shown).toEqual(['nosniff', "default-src 'none'; frame-ancestors 'none'", 'no-store', 'no-referrer', 'same-origin'])
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('what goes wrong inside is logged, and not told', async () => {
    const broken = place.fresh(routes.map((route) => ({ ...route, handle: () => Promise.reject(new Error('the password is hunter2')) })))
    const answer = await broken.request('/v1/status', { headers: { authorization: `Bearer ${admin}` } })
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('hunter2')
    expect(place.log.splice(0).join('\n')).toContain('hunter2')
  })
})

describe('an approval is for the plan that was read', () => {
  const read = digestOf('the plan that was read')
  const now = digestOf('the plan that waits now')
  const plan = (digest: typeof read) => ({ environment: 'staging', snapshot: 'snapshot', steps: [], unknown: [], digest })
  const approve = async (body: object) => place.post('/v1/runs/run-of-staging/approve', admin, { reason: 'fine', ...body })
  const approvals = async () => ((await place.get('/v1/runs/run-of-staging', admin)).body as { approvals: { planDigest: string }[] }).approvals

  test('another one is told, with both digests, and nothing is approved', async () => {
    await updateRun(place.store, 'run-of-staging', 'waiting', place.clock.now(), { plan: plan(now), planDigest: now })
    expect(codeOf(await approve({}))).toBe('request-malformed')
    expect(await approve({ plan: read })).toMatchObject({ status: 409, body: { error: { code: 'plan-changed', fields: { waiting: now, approved: read } } } })
    expect(await approvals()).toEqual([])
  })

  test('that very one is approved', async () => {
    expect((await approve({ plan: now })).status).toBe(200)
    expect(await approvals()).toMatchObject([{ principal: 'root', planDigest: now }])
  })
})
