import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '#model/finding.ts'
import { lockFinding, saveFindings } from '#store/findings.ts'
import { createRun, updateRun } from '#store/runs.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { startApi } from './server.ts'

let place: ApiPlace
let admin: string
beforeAll(async () => {
  place = await openApiPlace()
  admin = await place.token('root', 'admin')
})
afterAll(() => place.stop())

type Said = { error?: { code: string; subject: string; message: string; hint?: string } }
const refused = (code: string, message: RegExp) => ({ error: { code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) } })
const asked = async (path: string, body: unknown): Promise<Said> => (await place.post(path, admin, body)).body as Said
const because = { reason: 'why', ticket: null }

describe('what is asked for is not there, or not as one thinks', () => {
  test.each<[string, string, unknown, string, RegExp]>([
    ['a plan of an environment that nobody knows', '/v1/environments/stagin/plan', {}, 'environment-unknown', /no such environment/],
    ['a delivery to one', '/v1/environments/stagin/deploy', because, 'environment-unknown', /no such environment/],
    ['a pause of one', '/v1/environments/stagin/pause', { module: null, reason: 'why', forMs: 60_000 }, 'environment-unknown', /no such environment/],
    ['what one holds, to be let go', '/v1/environments/stagin/forget', because, 'environment-unknown', /nor is anything known of one/],
    ['a module that nobody knows', '/v1/environments/staging/deploy', { ...because, modules: ['shpo'] }, 'module-unknown', /no such module/],
    ['a pruning of what Git still has', '/v1/environments/staging/prune', because, 'not-gone', /Git still has it/],
  ])('%s', async (_, path, body, code, message) => {
    expect(await asked(path, body)).toMatchObject(refused(code, message))
  })

  test('a way back for what was never delivered, or is not ours', async () => {
    expect(await asked('/v1/findings/f-of-staging/revert', because)).toMatchObject(refused('revert-impossible', /nothing to go back to/))
    const finding = (await lockFinding(place.store, 'f-of-staging')) as Finding
    await saveFindings(place.store, [{ ...finding, cause: 'orphan' }], place.clock.now())
    expect(await asked('/v1/findings/f-of-staging/revert', because)).toMatchObject(refused('revert-impossible', /only what the inventory holds is deleted/))
  })

  test('the end of an id that several runs have', async () => {
    expect((await place.get('/v1/runs/of-staging', admin)).status).toBe(200)
    await createRun(place.store, {
      id: 'run-of-of-staging', environment: 'staging', kind: 'deploy', snapshot: 'snapshot', actor: 'root', reason: 'why', ticket: null, startedBy: 'root', changes: [], modules: {}, createdAt: place.clock.now(),
    })
    expect((await place.get('/v1/runs/of-staging', admin)).body).toMatchObject(refused('run-ambiguous', /2 runs end so: .*run-of-staging/))
  })
})

describe('a person’s word on a run comes at the wrong moment', () => {
  test('a run that waits for nobody cannot be approved', async () => {
    expect(await asked('/v1/runs/run-of-production/approve', { plan: 'sha256:1', reason: 'why', objects: [] })).toMatchObject(refused('run-not-waiting', /there is no plan that waits/))
    expect(await asked('/v1/runs/latest/approve', { plan: 'sha256:1', reason: 'why', objects: [] })).toMatchObject(refused('run-not-waiting', /no run waits for an approval/))
  })

  test('a run whose effects have begun cannot be cancelled', async () => {
    await updateRun(place.store, 'run-of-sandbox', 'delivering', place.clock.now())
    expect(await asked('/v1/runs/run-of-sandbox/cancel', { reason: 'why' })).toMatchObject(refused('run-under-way', /half of a plan/))
    expect((await place.get('/v1/runs/run-of-sandbox', admin)).body).toMatchObject({ state: 'delivering' })
  })
})

test('an address that this machine does not have, and a port that is taken', async () => {
  const start = (host: string, port: number) => startApi({ parts: place.parts, store: place.store, host, port, stopping: place.stopping.signal })
  // TEST-NET-1 of RFC 5737: nobody has it.
  await expect(start('192.0.2.1', 0)).rejects.toMatchObject({ code: 'host-unknown', subject: '192.0.2.1', hint: expect.stringContaining('--host') })
  const first = await start('127.0.0.1', 0)
  try {
    await expect(start('127.0.0.1', first.port)).rejects.toMatchObject({ code: 'port-taken', hint: expect.stringContaining('--port') })
  } finally {
    await first.stop()
  }
})

const since = 'since=2026-01-01T00:00:00Z'
const looks: [string, string][] = [
  ['runs', '/v1/runs?'], ['findings', '/v1/findings?'], ['timeline', `/v1/timeline?${since}&`], ['operations', '/v1/operations?'], ['records', '/v1/records?'],
]

describe('a name that nobody knows is not answered with nothing', () => {
  test.each([...looks.map(([what, path]) => [what, `${path}environment=stagin`]), ['yielded', '/v1/environments/stagin/yielded'], ['fields', '/v1/environments/stagin/fields?module=shop']])('%s of an environment', async (_, path) => {
    expect(await place.get(path ?? '', admin)).toMatchObject({ status: 404, body: { error: { code: 'environment-unknown', subject: 'environment stagin', hint: 'Did you mean “staging”? Known here: sandbox, staging, production.' } } })
  })

  test.each([['runs', '/v1/runs?'], ['findings', '/v1/findings?'], ['timeline', `/v1/timeline?${since}&`], ['yielded', '/v1/environments/staging/yielded?'], ['fields', '/v1/environments/staging/fields?']])('%s of a module', async (_, path) => {
    expect(await place.get(`${path}module=shpo`, admin)).toMatchObject({ status: 404, body: { error: { code: 'module-unknown', subject: 'module shpo', hint: 'Did you mean “shop”? Known here: shop.' } } })
  })

  test('nor is a pause ended, or a pin lifted, of what there is not', async () => {
    expect(await asked('/v1/environments/stagin/resume', { module: null })).toMatchObject(refused('environment-unknown', /no such environment/))
    for (const what of ['resume', 'unpin']) expect(await asked(`/v1/environments/staging/${what}`, { module: 'shpo', ...(what === 'unpin' ? because : {}) })).toMatchObject(refused('module-unknown', /no such module/))
  })

  test('what was removed, and is in the store alone, is told; to whoever may look at it', async () => {
    await createRun(place.store, { id: 'run-of-before', environment: 'before', kind: 'change', snapshot: 'snapshot', actor: 'root', reason: 'why', ticket: null, startedBy: null, changes: [], modules: { gone: { intent: 'i', changed: true } }, createdAt: place.clock.now() })
    for (const query of ['environment=before', 'module=gone']) expect(await place.get(`/v1/runs?${query}`, admin)).toMatchObject({ status: 200, body: { runs: [{ id: 'run-of-before' }] } })
    const stranger = await place.token('stranger', [{ role: 'viewer', environments: ['stag*'] }])
    expect(await place.get('/v1/runs?module=gone', stranger)).toMatchObject({ body: { error: { code: 'module-unknown', hint: 'Known here: shop.' } } })
    expect(await place.get('/v1/runs?environment=stagin', stranger)).toMatchObject({ body: { error: { code: 'environment-unknown', hint: expect.stringContaining('Known here: staging.') } } })
    expect(await place.get('/v1/runs?environment=before', stranger)).toMatchObject({ body: { error: { code: 'forbidden' } } })
  })
})

// The last one, since it empties the store.
test('before the repositories were read nothing can be asked for, and no name is a wrong one', async () => {
  for (const table of ['run', 'snapshot']) await place.store.query(`truncate ${table} cascade`)
  for (const what of ['deploy', 'prune']) expect(await asked(`/v1/environments/staging/${what}`, because)).toMatchObject({ error: { code: 'snapshot-unknown', retry: 'later' } })
  expect(await place.get('/v1/runs?environment=stagin', admin)).toMatchObject({ status: 200, body: { runs: [] } })
})
