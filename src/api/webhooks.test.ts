import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openApiPlace, webhookSecret } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'

let place: ApiPlace
beforeAll(async () => {
  place = await openApiPlace()
})
afterAll(() => place.stop())
beforeEach(() => place.store.query('delete from work'))

const own = 'the-secret-of-orders'
const commit = { before: 'a'.repeat(40), after: 'b'.repeat(40) }
const push = { ref: 'refs/heads/main', ...commit }
const url = 'https://git.example/shop/orders.git'
const plain = JSON.stringify({ repository: 'orders', ...push })
const forge = JSON.stringify({ ...push, repository: { clone_url: url } })
const gitlab = JSON.stringify({ ...push, object_kind: 'push', project: { git_http_url: url } })
const hmac = (body: string, secret: string): string => createHmac('sha256', secret).update(body).digest('hex')
const ours = (body: string, secret = webhookSecret): Record<string, string> => ({ 'x-plumbline-signature-256': `sha256=${hmac(body, secret)}` })

async function send(path: string, body: string | ReadableStream, headers: Record<string, string>): Promise<{ status: number; code?: string; work: string[] }> {
  const answer = await place.app.request(path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  const { error } = (await answer.json()) as { error?: { code: string } }
  const rows = await place.store.query<{ key: string }>('select key from work order by key')
  return { status: answer.status, ...(error === undefined ? {} : { code: error.code }), work: rows.map((row) => row.key) }
}

describe('a webhook that is signed makes its repository be looked at', () => {
  test.each<[string, string, string, Record<string, string>]>([
    ['with our own signature', '/v1/webhooks', plain, ours(plain)],
    ['by GitHub', '/v1/webhooks/orders', forge, { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac(forge, own)}` }],
    ['by Gitea', '/v1/webhooks/orders', forge, { 'x-gitea-event': 'push', 'x-gitea-signature': hmac(forge, own) }],
    ['by Forgejo', '/v1/webhooks/orders', forge, { 'x-forgejo-event': 'push', 'x-forgejo-signature': hmac(forge, own) }],
    ['by GitLab', '/v1/webhooks/orders', gitlab, { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': own }],
  ])('%s', async (_, path, body, headers) => {
    expect(await send(path, body, headers)).toEqual({ status: 202, work: ['repository/orders'] })
    // Again: the same work, once.
    expect(await send(path, body, headers)).toEqual({ status: 202, work: ['repository/orders'] })
  })

  test('a ping is answered, and is no reason to look', async () => {
    expect(await send('/v1/webhooks/orders', '{}', { 'x-github-event': 'ping', 'x-hub-signature-256': `sha256=${hmac('{}', own)}` })).toEqual({ status: 202, work: [] })
  })

  test('a push to another branch is answered, and is no reason to look', async () => {
    const body = JSON.stringify({ repository: 'orders', ...push, ref: 'refs/heads/feature' })
    expect(await send('/v1/webhooks', body, ours(body))).toEqual({ status: 202, work: [] })
  })
})

describe('a webhook is refused', () => {
  const other = JSON.stringify({ ...push, repository: { clone_url: 'https://git.example/shop/platform.git' } })
  const unknown = JSON.stringify({ repository: 'nowhere', ...push })
  test.each<[string, string, string, Record<string, string>, number, string]>([
    ['without a signature', '/v1/webhooks', plain, {}, 401, 'webhook-signature'],
    ['that is forged', '/v1/webhooks', plain, ours(plain, 'a guess'), 401, 'webhook-signature'],
    ['whose body was changed', '/v1/webhooks', `${plain} `, ours(plain), 401, 'webhook-signature'],
    ['signed with another repository’s secret', '/v1/webhooks', plain, ours(plain, own), 401, 'webhook-signature'],
    ['at a repository without a secret', '/v1/webhooks/platform', forge, ours(forge), 401, 'webhook-signature'],
    ['at a repository that there is not', '/v1/webhooks/nowhere', forge, ours(forge), 401, 'webhook-signature'],
    ['about another repository than its own', '/v1/webhooks/orders', other, { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac(other, own)}` }, 404, 'webhook-unknown-repository'],
    ['about a repository that is not followed', '/v1/webhooks', unknown, ours(unknown), 404, 'webhook-unknown-repository'],
    ['that is signed and broken', '/v1/webhooks', '{', ours('{'), 400, 'webhook-invalid'],
    ['that is huge', '/v1/webhooks', ' '.repeat(1024 * 1024 + 1), ours(''), 413, 'request-too-large'],
  ])('%s', async (_, path, body, headers, status, code) => {
    expect(await send(path, body, headers)).toEqual({ status, code, work: [] })
  })

  test('whose body never ends', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)) })
    expect(await send('/v1/webhooks', endless, ours(''))).toMatchObject({ status: 413, work: [] })
  })

  test('in the same words, whether or not there is such a repository', async () => {
    const texts = await Promise.all(
      ['platform', 'nowhere'].map(async (name) => {
        const answer = await place.app.request(`/v1/webhooks/${name}`, { method: 'POST', body: forge })
        return answer.text()
      }),
    )
    expect(texts[0]).toBe(texts[1])
  })

  test('a bearer token is no signature', async () => {
    const admin = await place.token('root', 'admin')
    expect(await send('/v1/webhooks', plain, { authorization: `Bearer ${admin}` })).toMatchObject({ status: 401 })
  })
})

test('too many from one address are refused for a while', async () => {
  const app = place.fresh()
  const statuses: number[] = []
  for (let at = 0; at < 310; at += 1) statuses.push((await app.request('/v1/webhooks', { method: 'POST', body: '{}' })).status)
  expect(statuses.filter((status) => status === 401)).toHaveLength(300)
  expect(statuses.slice(300)).toEqual(Array<number>(10).fill(429))
  place.clock.advance(1000)
  expect((await app.request('/v1/webhooks', { method: 'POST', body: plain, headers: ours(plain) })).status).toBe(202)
})
