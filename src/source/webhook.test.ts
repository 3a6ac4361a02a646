import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readWebhook, repositoriesOf, signWebhook } from './webhook.ts'

const secret = 'a secret of the webhook'
const hex = (body: string): string => createHmac('sha256', secret).update(body).digest('hex')
const [before, after] = ['a'.repeat(40), 'b'.repeat(40)]
const github = JSON.stringify({
  ref: 'refs/heads/main', before, after,
  repository: { clone_url: 'https://git.example/shop/orders.git', ssh_url: 'git@git.example:shop/orders.git', html_url: 'https://git.example/shop/orders' },
})
const gitlab = JSON.stringify({
  object_kind: 'push', ref: 'refs/heads/main', before, after,
  project: { git_http_url: 'https://git.example/shop/orders.git', git_ssh_url: 'git@git.example:shop/orders.git' },
})
const plain = JSON.stringify({ repository: 'orders', ref: 'refs/heads/main', before, after })
const key = Buffer.alloc(32, 7)
const standard = (body: string, id = 'msg_1', time = '1780000000'): Record<string, string> => ({
  'webhook-id': id, 'webhook-timestamp': time,
  'webhook-signature': `v1,AAAA v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`,
})

const deliveries: [string, Record<string, string>, string, string][] = [
  ['plumbline', { 'x-plumbline-signature-256': signWebhook(secret, plain) }, plain, secret],
  ['github', { 'x-hub-signature-256': `sha256=${hex(github)}`, 'x-github-event': 'push' }, github, secret],
  ['gitea', { 'x-gitea-signature': hex(github), 'x-gitea-event': 'push', 'x-hub-signature-256': `sha256=${hex(github)}` }, github, secret],
  ['forgejo', { 'x-forgejo-signature': hex(github), 'x-gitea-signature': hex(github), 'x-forgejo-event': 'push' }, github, secret],
  ['gitlab', { 'x-gitlab-token': secret, 'x-gitlab-event': 'Push Hook' }, gitlab, secret],
  ['gitlab', { ...standard(gitlab), 'x-gitlab-event': 'Push Hook' }, gitlab, `whsec_${key.toString('base64')}`],
]

describe.each(deliveries)('a delivery of %s', (forge, headers, body, key) => {
  test('is read when its signature holds', () => {
    expect(readWebhook(headers, Buffer.from(body), key)).toMatchObject({ kind: 'push', forge, ref: 'refs/heads/main', before, after })
  })

  test('is refused with another secret, an empty one, or a changed signature', () => {
    const first = Object.keys(headers).find((name) => /signature|token/.test(name)) ?? ''
    const attempts: [Record<string, string>, string][] = [
      [headers, 'another secret'], [headers, ''], [{ ...headers, [first]: '' }, key], [{ ...headers, [first]: `${headers[first]}0` }, key],
      [{ ...headers, [first]: 'sha256=' }, key], [{ ...headers, [first]: 'ü'.repeat(64) }, key],
    ]
    for (const [given, secret] of attempts) {
      expect(() => readWebhook(given, Buffer.from(body), secret)).toThrow(expect.objectContaining({ code: 'webhook-signature' }))
    }
  })
})

test.each(deliveries.filter(([, headers]) => !('x-gitlab-token' in headers)))('a delivery of %s is refused when a byte of its body differs', (_, headers, body, key) => {
  expect(() => readWebhook(headers, Buffer.from(`${body} `), key)).toThrow(expect.objectContaining({ code: 'webhook-signature' }))
})

test('the example of the GitHub documentation holds', () => {
  const headers = { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17', 'x-github-event': 'ping' }
  expect(readWebhook(headers, Buffer.from('Hello, World!'), "It's a Secret to Everybody")).toEqual({ kind: 'other', forge: 'github', event: 'ping' })
})

test('a good signature of one forge does not rescue a bad one of another', () => {
  const headers = { 'x-gitea-signature': '0'.repeat(64), 'x-hub-signature-256': `sha256=${hex(github)}` }
  expect(() => readWebhook(headers, Buffer.from(github), secret)).toThrow(expect.objectContaining({ code: 'webhook-signature' }))
})

test('a delivery without a signature is refused before it is read', () => {
  expect(() => readWebhook({}, Buffer.from('{'), secret)).toThrow(expect.objectContaining({ code: 'webhook-signature' }))
})

test.each([
  ['no JSON', '{'], ['an array', '[]'], ['no repository', JSON.stringify({ ref: 'refs/heads/main', before, after })],
  ['a commit that is an option', plain.replace(after, '--upload-pack=x')], ['a huge name', plain.replace('orders', 'x'.repeat(10_000))], ['nothing', ''],
  ['deep nesting', '['.repeat(100_000)],
])('a signed body with %s is invalid', (_, body) => {
  expect(() => readWebhook({ 'x-plumbline-signature-256': signWebhook(secret, body) }, Buffer.from(body), secret)).toThrow(expect.objectContaining({ code: 'webhook-invalid' }))
})

test('a body as GitHub sends it by default, as a form, is read too', () => {
  const body = new URLSearchParams({ payload: github }).toString()
  const headers = { 'x-hub-signature-256': `sha256=${hex(body)}`, 'x-github-event': 'push', 'content-type': 'application/x-www-form-urlencoded' }
  expect(readWebhook(headers, Buffer.from(body), secret)).toMatchObject({ kind: 'push', after })
})

describe('a push', () => {
  const followed = [
    { name: 'orders', url: 'ssh://git@git.example:2222/shop/orders', branch: 'main' },
    { name: 'orders-next', url: 'https://GIT.example/shop/orders.git/', branch: 'next' },
    { name: 'platform', url: '/srv/git/platform.git', branch: 'main' },
  ]
  const push = (urls: string[], ref = 'refs/heads/main', repository?: string): Parameters<typeof repositoriesOf>[0] => ({
    kind: 'push', forge: 'github', urls, ref, before, after, ...(repository === undefined ? {} : { repository }),
  })

  test('is for the repositories of any of its URLs, at its branch', () => {
    expect(repositoriesOf(push(['git@git.example:shop/orders.git']), followed)).toEqual(['orders'])
    expect(repositoriesOf(push(['https://git.example/shop/orders'], 'refs/heads/next'), followed)).toEqual(['orders-next'])
    expect(repositoriesOf(push(['https://git.example/shop/orders'], 'refs/heads/topic'), followed)).toEqual([])
    expect(repositoriesOf(push([], 'refs/heads/main', 'platform'), followed)).toEqual(['platform'])
  })

  test('that is for no repository of the workspace is refused', () => {
    for (const stranger of [push(['https://git.example/shop/orders-2']), push(['https://other.example/shop/orders']), push([]), push([], 'refs/heads/main', 'nobody')]) {
      expect(() => repositoriesOf(stranger, followed)).toThrow(expect.objectContaining({ code: 'webhook-unknown-repository' }))
    }
  })
})
