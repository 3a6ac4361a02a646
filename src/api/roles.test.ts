import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { roles } from '#model/principal.ts'
import type { Principal, Role } from '#model/principal.ts'
import { saveProblems, saveRepository } from '#store/snapshots.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { routes } from './routes.ts'

/** Every route, with who may use it: said here once more, so that a change there is a change here, and a new route needs a row. */
const rows: Readonly<Record<string, { readonly role: Role; readonly where: 'workspace' | 'staging' | 'each'; readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object }>> = {
  status: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/status' },
  runs: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/runs' },
  timeline: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/timeline?since=2026-01-01T00:00:00Z' },
  exportRecords: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/records' },
  show: { role: 'viewer', where: 'staging', method: 'GET', path: '/v1/runs/run-of-staging' },
  findings: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/findings' },
  finding: { role: 'viewer', where: 'staging', method: 'GET', path: '/v1/findings/f-of-staging' },
  fields: { role: 'viewer', where: 'staging', method: 'GET', path: '/v1/environments/staging/fields?module=shop' },
  revert: { role: 'developer', where: 'staging', method: 'POST', path: '/v1/findings/f-of-staging/revert', body: { reason: 'why' } },
  accept: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/findings/f-of-staging/accept', body: { reason: 'why', until: '2026-01-02T00:00:00Z' } },
  plan: { role: 'viewer', where: 'staging', method: 'POST', path: '/v1/environments/staging/plan', body: {} },
  deploy: { role: 'developer', where: 'staging', method: 'POST', path: '/v1/environments/staging/deploy', body: { reason: 'why' } },
  verify: { role: 'developer', where: 'staging', method: 'POST', path: '/v1/environments/staging/verify', body: { reason: 'why' } },
  cancel: { role: 'developer', where: 'staging', method: 'POST', path: '/v1/runs/run-of-staging/cancel', body: { reason: 'why' } },
  approve: { role: 'approver', where: 'staging', method: 'POST', path: '/v1/runs/run-of-staging/approve', body: { plan: 'sha256:1', reason: 'why' } },
  pause: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/pause', body: { reason: 'why', forMs: 1000 } },
  prune: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/prune', body: { reason: 'why' } },
  forget: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/forget', body: { reason: 'why' } },
  resume: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/resume', body: {} },
  adopt: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/findings/f-of-staging/adopt', body: { reason: 'why' } },
  adoption: { role: 'viewer', where: 'staging', method: 'GET', path: '/v1/findings/f-of-staging/adoption' },
  adoptionPatch: { role: 'developer', where: 'staging', method: 'GET', path: '/v1/findings/f-of-staging/adoption/patch' },
  operations: { role: 'viewer', where: 'each', method: 'GET', path: '/v1/operations' },
  operate: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/operations/drill', body: { reason: 'why' } },
  rollback: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/rollback', body: { module: 'shop', reason: 'why' } },
  pin: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/pin', body: { module: 'shop', reason: 'why' } },
  unpin: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/unpin', body: { module: 'shop', reason: 'why' } },
  yielded: { role: 'viewer', where: 'staging', method: 'GET', path: '/v1/environments/staging/yielded' },
  yield: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/yield', body: { module: 'shop', object: 'Deployment shop/web', reason: 'why' } },
  import: { role: 'operator', where: 'staging', method: 'GET', path: '/v1/environments/staging/import?namespace=by-hand' },
  proposeImport: { role: 'operator', where: 'staging', method: 'POST', path: '/v1/environments/staging/import', body: { namespace: 'by-hand', repository: 'orders', reason: 'why' } },
  rotateRecordKey: { role: 'admin', where: 'workspace', method: 'POST', path: '/v1/records/rotate-key', body: { reason: 'why' } },
  principals: { role: 'admin', where: 'workspace', method: 'GET', path: '/v1/principals' },
  createToken: { role: 'admin', where: 'workspace', method: 'POST', path: '/v1/tokens', body: { name: 'new', role: 'viewer' } },
  revokeTokens: { role: 'admin', where: 'workspace', method: 'POST', path: '/v1/principals/nobody/revoke' },
}

/** The environments of a grant, and whether `staging` is one of them. */
const grants: readonly [environments: string[], staging: boolean][] = [
  [['*'], true],
  [['staging'], true],
  [['sandbox', 'stag*'], true],
  [['production'], false],
  [[], false],
]

let place: ApiPlace
beforeAll(async () => {
  place = await openApiPlace()
})
afterAll(() => place.stop())

test('every route has a row, and every row a route', () => {
  expect(Object.keys(rows).sort()).toEqual(routes.map((route) => route.id).sort())
})

describe.each(Object.entries(rows))('%s', (id, row) => {
  const cases = roles.flatMap((role) => grants.map(([environments, staging]) => ({ role, environments, staging })))

  test('lets in whom it should, and nobody else', async () => {
    const app = place.fresh(routes.map((route) => ({ ...route, answer: z.any(), handle: () => Promise.resolve({ entered: route.id }) })))
    const seen: Record<string, unknown> = {}
    const wished: Record<string, unknown> = {}
    for (const { role, environments, staging } of cases) {
      const name = `${role} in ${environments.join(', ') || 'nothing'}`
      const token = await place.token(`p-${role}-${environments.join('-').replaceAll('*', 'x')}`, [{ role, environments }])
      const answer = await app.request(row.path, { method: row.method, headers: { authorization: `Bearer ${token}` }, ...(row.body === undefined ? {} : { body: JSON.stringify(row.body) }) })
      const body = (await answer.json()) as { entered?: string; error?: { code: string } }
      seen[name] = body.entered ?? body.error?.code
      wished[name] = expected(id, role, environments, staging)
    }
    expect(seen).toEqual(wished)
    expect(Object.values(wished)).toContain(id)
    expect(Object.values(wished)).toContain('forbidden')
  })

  function expected(route: string, role: Role, environments: readonly string[], staging: boolean): string {
    const enough = roles.indexOf(role) >= roles.indexOf(row.role)
    if (!enough || environments.length === 0) return 'forbidden'
    if (row.where === 'each') return route
    if (row.where === 'workspace') return environments.includes('*') ? route : 'forbidden'
    if (staging) return route
    // What one may not look at is not there.
    return row.path.includes('/runs/') ? 'run-unknown' : row.path.includes('/findings/') ? 'finding-unknown' : 'forbidden'
  }

  test('lets nobody in without a token', async () => {
    const answer = await place.fresh().request(row.path, { method: row.method, ...(row.body === undefined ? {} : { body: JSON.stringify(row.body) }) })
    expect(answer.status).toBe(401)
  })
})

describe('what a principal of one environment sees', () => {
  let token: string
  beforeAll(async () => {
    token = await place.token('sam', [{ role: 'developer', environments: ['sandbox'] }])
  })

  test('the runs there, and no others', async () => {
    const { body } = await place.get('/v1/runs', token)
    expect((body as { runs: { id: string }[] }).runs.map((run) => run.id)).toEqual(['run-of-sandbox'])
    expect((await place.get('/v1/runs?environment=sandbox', token)).status).toBe(200)
    expect((await place.get('/v1/runs?environment=production', token)).body).toMatchObject({ error: { code: 'forbidden' } })
    expect((await place.get('/v1/records?environment=production', token)).body).toMatchObject({ error: { code: 'forbidden' } })
  })

  test('the status there, and no other environment’s name', async () => {
    const { body } = await place.get('/v1/status', token)
    expect(body).toMatchObject({ environments: [{ name: 'sandbox', modules: [{ name: 'shop' }] }] })
    expect(JSON.stringify(body)).not.toContain('production')
  })

  test('no repository and no problem of the workspace: only who sees all of it does', async () => {
    const at = place.clock.now()
    await saveRepository(place.store, { name: 'secret-plans', url: 'https://git.example/secret-plans', branch: 'main', head: null, commit: null, checkedAt: at, failure: null })
    await saveProblems(place.store, 'snapshot', [{ code: 'configuration-invalid', subject: 'secret-plans/module.yaml', message: 'wrong', retry: 'never' }], at)
    expect((await place.get('/v1/status', token)).body).toMatchObject({ repositories: [], problems: [] })
    const all = await place.token('all', [{ role: 'viewer', environments: ['*'] }])
    expect((await place.get('/v1/status', all)).body).toMatchObject({ repositories: [{ name: 'secret-plans' }], problems: [{ code: 'configuration-invalid' }] })
  })

  test('a run of another environment is as unknown as one that is not there', async () => {
    const other = await place.get('/v1/runs/run-of-production', token)
    const none = await place.get('/v1/runs/run-of-productiom', token)
    expect(other.status).toBe(404)
    expect(JSON.stringify(other.body).replaceAll('production', 'X')).toBe(JSON.stringify(none.body).replaceAll('productiom', 'X'))
    expect((await place.get('/v1/runs/latest', token)).body).toMatchObject({ id: 'run-of-sandbox' })
    expect((await place.get('/v1/runs/production', token)).body).toMatchObject({ error: { code: 'run-unknown' } })
  })

  test('the findings there, and no others', async () => {
    const { body } = await place.get('/v1/findings', token)
    expect((body as { findings: { id: string }[] }).findings.map((one) => one.id)).toEqual(['f-of-sandbox'])
    expect((body as { watches: { environment: string }[] }).watches.map((one) => one.environment)).toEqual(['sandbox'])
    expect((await place.get('/v1/findings/f-of-production', token)).status).toBe(404)
    expect((await place.get('/v1/findings?environment=production', token)).body).toMatchObject({ error: { code: 'forbidden' } })
  })

  test('an environment that is not there is as forbidden as one that is not theirs', async () => {
    for (const name of ['production', 'nowhere', '*', '**', 'sandbo?', '../sandbox'])
      expect((await place.post(`/v1/environments/${encodeURIComponent(name)}/plan`, token, {})).status).toBe(403)
  })
})

test('roles for different environments do not add up', async () => {
  const grants: Principal['grants'] = [{ role: 'viewer', environments: ['*'] }, { role: 'operator', environments: ['sandbox'] }]
  const token = await place.token('mixed', grants)
  expect((await place.post('/v1/environments/production/resume', token, {})).body).toMatchObject({ error: { code: 'forbidden', message: 'mixed is not operator in production' } })
  expect((await place.post('/v1/environments/sandbox/resume', token, {})).status).toBe(200)
  expect((await place.get('/v1/principals', token)).status).toBe(403)
})
