import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { findingNamed } from '#run/drift/commands.ts'
import { tellDrift } from '#run/drift/tell.ts'
import { auditEntries } from '#store/audit.ts'
import { hold } from '#store/inventory.ts'
import { changesOfFinding, lockFinding, saveFindings } from '#store/findings.ts'
import type { Finding } from '#model/finding.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'

let place: ApiPlace
let operator: string
beforeAll(async () => {
  place = await openApiPlace()
  operator = await place.token('olga', 'operator')
})
afterAll(() => place.stop())

const later = (ms: number): string => new Date(place.clock.now() + ms).toISOString()
const save = async (change: Partial<Finding>): Promise<void> => {
  const finding = (await lockFinding(place.store, 'f-of-staging')) as Finding
  await saveFindings(place.store, [{ ...finding, ...change }], place.clock.now())
}
const codeOf = (body: unknown): string | undefined => (body as { error?: { code: string } }).error?.code

test('a finding is accepted with a reason and an end, and its history says by whom', async () => {
  expect((await place.post('/v1/findings/of-staging/accept', operator, { reason: 'load test', until: later(60_000) })).body).toEqual({ done: true })
  const { body } = await place.get('/v1/findings/f-of-staging', operator)
  expect(body).toMatchObject({ finding: { state: 'accepted', accepted: { by: 'olga', reason: 'load test', until: later(60_000) } }, history: [{ what: 'accepted', actor: 'olga', reason: 'load test' }] })
})

test('it comes back when its time is over', async () => {
  const parts = { ...place.parts, signer: signerOf(newKeyPair().privatePem) }
  expect(await tellDrift(parts, 'staging')).toEqual({ again: place.clock.now() + 60_000 })
  place.clock.advance(60_000)
  await tellDrift(parts, 'staging')
  expect(await findingNamed(place.parts, 'f-of-staging', () => true)).toMatchObject({ state: 'open', accepted: null })
  expect((await changesOfFinding(place.store, 'f-of-staging', 10)).map(({ what, reason }) => [what, reason])).toEqual([['accepted', 'load test'], ['changed', 'it was accepted by olga until now']])
})

test('an acceptance ends within a year, and not in the past', async () => {
  for (const until of [later(-1), later(0), later(400 * 86_400_000)]) expect(codeOf((await place.post('/v1/findings/f-of-staging/accept', operator, { reason: 'why', until })).body)).toBe('acceptance-invalid')
})

test('nothing is decided on what is resolved, or on what is under way', async () => {
  const accept = async (): Promise<unknown> => (await place.post('/v1/findings/f-of-staging/accept', operator, { reason: 'why', until: later(1_000) })).body
  await save({ state: 'reverting', run: 'run-9' })
  expect(await accept()).toMatchObject({ error: { code: 'finding-under-way', message: 'it is reverting by run-9', hint: expect.stringContaining('plumb cancel run-9 --reason') as string } })
  await save({ state: 'resolved', run: null })
  expect(codeOf(await accept())).toBe('finding-resolved')
})

test('a finding is known by the end of its id, where no other ends so', async () => {
  const finding = (await lockFinding(place.store, 'f-of-staging')) as Finding
  await saveFindings(place.store, [{ ...finding, id: 'g-of-staging', object: 'core/ConfigMap/shop/other' }], place.clock.now())
  expect(codeOf((await place.get('/v1/findings/-of-staging', operator)).body)).toBe('finding-ambiguous')
  expect((await place.get('/v1/findings/f-of-staging', operator)).status).toBe(200)
  expect(codeOf((await place.get('/v1/findings/nothing', operator)).body)).toBe('finding-unknown')
})

test('resolved findings are told only where they are asked for', async () => {
  const ids = async (query: string): Promise<string[]> => ((await place.get(`/v1/findings?environment=staging${query}`, operator)).body as { findings: { id: string }[] }).findings.map(({ id }) => id)
  expect(await ids('')).toEqual([])
  expect(await ids('&resolved=with')).toEqual(['f-of-staging', 'g-of-staging'])
})

test('the most serious are told first, and how many more there are', async () => {
  const finding = (await lockFinding(place.store, 'f-of-staging')) as Finding
  const more = (['held', 'accepted', 'open', 'contested'] as const).map((state, at): Finding => ({ ...finding, id: `h-${state}`, object: `core/ConfigMap/shop/h-${state}`, state, resolvedAt: null, updatedAt: finding.updatedAt - at }))
  await saveFindings(place.store, more, place.clock.now())
  const ask = async (query: string) => (await place.get(`/v1/findings?environment=staging${query}`, operator)).body as { findings: { id: string }[]; more: number; waiting: number; failure: { code: string } | null }
  expect(await ask('&limit=3')).toMatchObject({ findings: [{ id: 'h-contested' }, { id: 'h-open' }, { id: 'h-held' }], more: 1, waiting: 2, failure: null })
  expect(await ask('&limit=1')).toMatchObject({ findings: [{ id: 'h-contested' }], more: 3, waiting: 2 })
})

test('where the configuration cannot be read, what is known is told, and that it cannot', async () => {
  const { of } = place.parts.configurations
  place.parts.configurations.of = () => Promise.reject(new Failure({ code: 'git-failed', subject: 'platform', message: 'it is away', retry: 'later' }))
  const { body } = await place.get('/v1/findings', operator)
  place.parts.configurations.of = of
  expect(body).toMatchObject({ failure: { code: 'git-failed' }, findings: expect.arrayContaining([expect.objectContaining({ id: 'h-open' })]) })
})

describe('the audit webhook of a target', () => {
  const send = async (token: string, body: string, path = '/v1/audit/staging/cluster'): Promise<{ status: number; code: string | undefined }> => {
    const answer = await place.app.request(path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body })
    return { status: answer.status, code: codeOf(await answer.json()) }
  }
  const events = (...objects: string[]): string => JSON.stringify({ kind: 'EventList', items: objects.map((object, at) => ({ id: `${object}/${at}`, object })) })

  test('is taken with the token of that target, and keeps what concerns what is held', async () => {
    await hold(place.store, { place: 'place', key: 'core/ConfigMap/shop/a', uid: 'u', environment: 'staging', module: 'shop', desired: 'sha256:1', fields: [], run: 'run' })
    for (let turn = 0; turn < 2; turn += 1) expect(await send('the-secret-of-orders', events('core/ConfigMap/shop/a', 'core/ConfigMap/shop/unheld'))).toEqual({ status: 202, code: undefined })
    expect(await auditEntries(place.store, 'staging', 'cluster', ['core/ConfigMap/shop/a', 'core/ConfigMap/shop/unheld'])).toMatchObject([{ object: 'core/ConfigMap/shop/a', user: 'kim' }])
  })

  test('is refused without it, for another target, and where it is no list of events', async () => {
    expect(await send('another', events())).toEqual({ status: 401, code: 'audit-signature' })
    expect(await send('the-secret-of-orders', events(), '/v1/audit/staging/nothing')).toEqual({ status: 404, code: 'audit-unknown' })
    for (const body of ['', '[]', '{"kind":"EventList"}', '{"items":[]}', 'null']) expect(await send('the-secret-of-orders', body)).toEqual({ status: 400, code: 'audit-invalid' })
  })

  test('may be larger than other requests, and no larger than that', async () => {
    expect((await send('another', 'x'.repeat(2 * 1024 * 1024))).code).toBe('audit-signature')
    expect((await send('another', 'x'.repeat(11 * 1024 * 1024))).code).toBe('request-too-large')
  })
})
