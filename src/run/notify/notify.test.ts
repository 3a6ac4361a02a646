import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { resolveHost } from '#clients/dns/resolve-host.ts'
import { httpRequest } from '#clients/http/request.ts'
import { FakeClock, systemClock } from '#lib/clock.ts'
import { Redactor } from '#lib/redact.ts'
import { notify as channelsSchema } from '#model/config/notify.ts'
import { messageCounts, notify } from '#store/notifications.ts'
import { openStore } from '#store/open.ts'
import { acceptPolicy, forgetPolicy, saveSnapshot } from '#store/snapshots.ts'
import type { Sql, Store } from '#store/sql.ts'
import { Worker } from '#store/worker.ts'
import { layEmptyStore } from '../../../test/empty-store.ts'
import { eventually } from '../../../test/eventually.ts'
import type { Parts } from '../parts.ts'
import { tellVerdict } from '../tell-verdict.ts'
import { channelsOf } from './channels.ts'
import { handOutNotifications } from './hand-out.ts'
import { sendMessages } from './send.ts'
import type { WebhookBody } from './message.ts'

type Received = { readonly headers: IncomingHttpHeaders; readonly text: string; readonly body: WebhookBody & { readonly text: string } }

const dir = mkdtempSync(join(tmpdir(), 'plumbline-notify-'))
const signal = new AbortController().signal
let store: Store
let clock: FakeClock
let receiver: Server
let url: string
let received: Received[]
/** What the receiver answers, one after the other; 200 after that. */
let answers: number[]

beforeAll(async () => {
  store = await openStore({ dir: layEmptyStore(dir) }, systemClock)
  await saveSnapshot(store, { id: 's', commits: {} }, 0)
  receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => {
      received.push({ headers: request.headers, text, body: JSON.parse(text) as Received['body'] })
      const status = answers.shift() ?? 200
      response.writeHead(status, status === 302 ? { location: `${url}/elsewhere` } : {}).end('ok')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
})
beforeEach(async () => {
  await store.script('delete from message; delete from notification; delete from work;')
  received = []
  answers = []
  clock = new FakeClock()
})
afterAll(async () => {
  receiver.close()
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const secrets: Record<string, string> = { 'env:HOOK': 'the-signing-secret', 'env:TOKEN': 'a-token-that-nobody-may-see' }

function partsOf(channels: readonly object[], change: Partial<Record<keyof Parts, unknown>> = {}): Parts & { readonly lines: string[] } {
  const lines: string[] = []
  const redactor = new Redactor()
  for (const value of Object.values(secrets)) redactor.add(value)
  const configuration = { workspace: { metadata: { name: 'shop' }, spec: { repositories: {}, notify: [] } }, environments: new Map([['production', { metadata: { name: 'production' }, spec: { reach: [], notify: channelsSchema.parse(channels) } }]]) }
  const resolveSecret = (reference: string): Promise<{ value: string }> => Promise.resolve({ value: reference === 'env:URL' ? `${url}/services/hook` : (secrets[reference] ?? '') })
  return { sql: store, clock, configurations: { of: async () => configuration }, redactor, resolve: resolveHost, resolveSecret, http: httpRequest, log: (line: string) => lines.push(line), lines, ...change } as unknown as Parts & { lines: string[] }
}

const webhook = (more: object = {}) => ({ name: 'ops', webhook: { url, secret: { secretRef: 'env:HOOK' } }, ...more })
const say = (message = 'web in production: verification failed, and was passed') => notify(store, clock.now(), { kind: 'verdict', environment: 'production', module: 'web', body: { message, from: 'passed', to: 'failed' } })
const states = async (): Promise<string[]> => (await messageCounts(store)).map(({ channel, state, count }) => `${channel} ${state} ${count}`)

async function deliver(parts: Parts, id = 'environment/ops'): Promise<void> {
  await handOutNotifications(parts, 'production')
  await sendMessages(parts, 'production', id, signal)
}

test('a webhook is signed over its body, says what happened, and bears an id', async () => {
  await say()
  await deliver(partsOf([webhook()]))
  const [{ headers, text, body } = { headers: {} as IncomingHttpHeaders, text: '', body: undefined }] = received
  expect(headers['x-plumbline-signature-256']).toBe(`sha256=${createHmac('sha256', 'the-signing-secret').update(text).digest('hex')}`)
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-plumbline-event': 'verdict', 'x-plumbline-id': body?.id })
  expect(body).toEqual({ id: expect.stringMatching(/^shop\/production\/\d+$/), event: 'verdict', environment: 'production', module: 'web', at: '2026-01-01T00:00:00.000Z', message: 'web in production: verification failed, and was passed', details: { from: 'passed', to: 'failed' } })
})

test('Slack is told in one text, in which nothing calls anybody', async () => {
  await say('<!channel> a & b')
  await deliver(partsOf([{ name: 'chat', slack: { url: { secretRef: 'env:URL' } } }]), 'environment/chat')
  expect(received.map(({ text }) => JSON.parse(text) as unknown)).toEqual([{ text: '*production/web* · verification changed\n&lt;!channel&gt; a &amp; b' }])
})

test('each channel is told of what it asks for, once, however often it is handed out', async () => {
  const parts = partsOf([webhook(), webhook({ name: 'waits', events: ['approval'] })])
  await say()
  await deliver(parts)
  await deliver(parts)
  expect(received).toHaveLength(1)
  expect(await states()).toEqual(['environment/ops sent 1'])
})

test('a verdict that changes is one message, and one sample more of the same is none', async () => {
  const change = { environment: 'production', module: 'web', from: 'passed', to: 'failed', changes: [], results: [], snapshot: null, now: 0 } as const
  const parts = partsOf([webhook()])
  await tellVerdict(store, parts, change)
  await tellVerdict(store, parts, { ...change, from: 'failed' })
  await deliver(parts)
  expect(received.map(({ body }) => body.message)).toEqual(['web in production: verification failed, and was passed'])
})

test('no secret that this process has seen leaves it', async () => {
  await say(`refused: ${secrets['env:TOKEN'] ?? ''}`)
  await deliver(partsOf([webhook()]))
  expect(received[0]?.text).toContain('refused: [redacted]')
})

test('what is not taken is tried again by the queue, in order, until it is taken', { timeout: 30_000 }, async () => {
  const parts = partsOf([webhook()], { clock: systemClock })
  answers = [500, 503]
  const failed: number[] = []
  const worker = new Worker({
    store, clock: systemClock, concurrency: 2,
    handlers: { 'notify/': () => handOutNotifications(parts, 'production'), 'send/': (_, context) => sendMessages(parts, 'production', 'environment/ops', context.signal) },
    report: (event) => void (event.event === 'failed' && failed.push(event.attempts)),
  })
  const now = systemClock.now()
  for (const message of ['one', 'two']) await notify(store, now, { kind: 'alert', environment: 'production', module: 'web', body: { message } })
  worker.start()
  await eventually(async () => (await states()).join() === 'environment/ops sent 2', 20_000)
  await worker.stop()
  expect(received.map(({ body }) => body.message)).toEqual(['one', 'one', 'one', 'two'])
  expect(new Set(received.slice(0, 3).map(({ body }) => body.id)).size).toBe(1)
  expect(failed).toEqual([1, 2])
})

test('a process that dies after it has sent, and before it has written so, sends the same again with the same id', async () => {
  await say()
  await handOutNotifications(partsOf([webhook()]), 'production')
  const dies: Sql = { ...store, query: (text, params) => (text.startsWith('update message') ? Promise.reject(new Error('killed')) : store.query(text, params)) }
  await expect(sendMessages(partsOf([webhook()], { sql: dies }), 'production', 'environment/ops', signal)).rejects.toThrow('killed')
  await sendMessages(partsOf([webhook()]), 'production', 'environment/ops', signal)
  expect(received).toHaveLength(2)
  expect(received[1]?.text).toBe(received[0]?.text)
  expect(await states()).toEqual(['environment/ops sent 1'])
})

test.each([
  ['a redirect', 302, webhook, 'answered 302: redirects are not followed'],
  ['a metadata address', 200, () => webhook({ webhook: { url: 'http://169.254.169.254/latest', secret: { secretRef: 'env:HOOK' } } }), 'which nothing may reach'],
  ['a receiver that is not there', 200, () => webhook({ webhook: { url: 'http://127.0.0.1:9/', secret: { secretRef: 'env:HOOK' } } }), 'connection refused'],
])('%s is a failure that is tried again for a day, and then given up', async (_, answer, channel, message) => {
  answers = [answer, answer]
  await say()
  const parts = partsOf([channel()])
  await expect(deliver(parts)).rejects.toMatchObject({ code: 'notification-failed', retry: 'later', message: expect.stringContaining(message) })
  expect(await states()).toEqual(['environment/ops waiting 1'])
  clock.advance(86_400_001)
  await deliver(parts)
  expect(await states()).toEqual(['environment/ops given-up 1'])
  expect(parts.lines[0]).toContain(message)
  expect(received.every(({ headers }) => headers['x-plumbline-event'] === 'verdict')).toBe(true)
})

test('what the receiver finds wrong with one message keeps none of the others back', async () => {
  answers = [422]
  await say('one')
  await say('two')
  await deliver(partsOf([webhook()]))
  expect(received.map(({ body }) => body.message)).toEqual(['one', 'two'])
  expect(await states()).toEqual(['environment/ops given-up 1', 'environment/ops sent 1'])
})

test('an environment’s own channels are those that were accepted, whatever a commit says that waits', async () => {
  await acceptPolicy(store, 'production', { notify: [webhook({ events: ['alert'] })] }, 's', 0)
  try {
    expect((await channelsOf(partsOf([]), 'production')).map(({ id }) => id)).toEqual(['environment/ops'])
  } finally {
    await forgetPolicy(store, 'production')
  }
})

test('what waits for a channel that is gone is given up', async () => {
  await say()
  await handOutNotifications(partsOf([webhook()]), 'production')
  await sendMessages(partsOf([]), 'production', 'environment/ops', signal)
  expect(await states()).toEqual(['environment/ops given-up 1'])
})
