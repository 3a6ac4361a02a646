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

// The last one, since it empties the store.
test('before the repositories were read nothing can be asked for', async () => {
  for (const table of ['run', 'snapshot']) await place.store.query(`truncate ${table} cascade`)
  for (const what of ['deploy', 'prune']) expect(await asked(`/v1/environments/staging/${what}`, because)).toMatchObject({ error: { code: 'snapshot-unknown', retry: 'later' } })
})
