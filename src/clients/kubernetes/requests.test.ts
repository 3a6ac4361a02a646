import { afterEach, describe, expect, test } from 'vitest'
import { systemClock, type Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { startFakeApiServer, type FakeApiServer, type FakeHandler } from '../../../test/fake-api-server.ts'
import type { KubernetesClient, ServedKind } from './client.ts'
import { openKubernetes } from './open.ts'

const maps: ServedKind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] }
const secrets: ServedKind = { ...maps, kind: 'Secret', plural: 'secrets' }
const never = new AbortController().signal
const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a', uid: `uid-${name}`, resourceVersion: '5' } })

/** Short waits do not last: they are written down. Time limits (10 s and more) are real. */
function hasty(): Clock & { waits: number[] } {
  const waits: number[] = []
  return {
    waits,
    now: () => Date.now(),
    sleep: async (ms, signal) => {
      if (ms >= 10_000) return systemClock.sleep(ms, signal)
      waits.push(ms)
      signal?.throwIfAborted()
    },
  }
}

let servers: FakeApiServer[] = []
let clients: KubernetesClient[] = []
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
  clients = []
})

async function start(handle: FakeHandler, options: { protocol?: 'h2' | 'http/1.1'; user?: object; clock?: Clock } = {}) {
  const server = await startFakeApiServer(handle, options)
  servers.push(server)
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: options.clock ?? systemClock })
  clients.push(client)
  return { server, client }
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof Failure) return thrown
  throw new Error(`no Failure, but ${String(thrown)}`)
}

describe.each(['h2', 'http/1.1'] as const)('over %s', (protocol) => {
  test('a request says who asks, and for whom', async () => {
    const { server, client } = await start((request, answer) => answer.json(200, object('x')), { protocol })
    expect(await client.get(maps, 'a', 'x', never)).toEqual(object('x'))
    expect(server.requests[0]).toMatchObject({ path: '/api/v1/namespaces/a/configmaps/x', headers: { 'user-agent': 'plumbline', authorization: 'Bearer fake-token' } })
  })

  test('a dropped connection is made again for a read', async () => {
    let asked = 0
    const { server, client } = await start((_, answer) => (++asked === 1 ? answer.drop() : answer.json(200, object('x'))), { protocol })
    expect(await client.get(maps, 'a', 'x', never)).toMatchObject({ metadata: { uid: 'uid-x' } })
    expect(server.connections()).toBeGreaterThanOrEqual(2)
  })

  test('a write whose connection is dropped is not sent again: whether it happened is not known', async () => {
    const { server, client } = await start((_, answer) => answer.drop(), { protocol })
    const failure = await failureOf(client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never))
    expect(failure).toMatchObject({ code: 'kubernetes-unreachable', fields: { processed: 'perhaps' } })
    expect(server.requests.length).toBe(1)
  })

  test('a hanging server holds nobody longer than the signal', async () => {
    const { client } = await start(() => {}, { protocol })
    const gone = new AbortController()
    const asked = client.get(maps, 'a', 'x', gone.signal)
    setTimeout(() => gone.abort(new Error('enough')), 20)
    await expect(asked).rejects.toThrow('enough')
  })

  test('an answer that is cut short is no answer', async () => {
    let asked = 0
    const { client } = await start((_, answer) => {
      if (++asked > 1) return answer.json(200, object('x'))
      const lines = answer.lines()
      lines.raw('{"apiVersion":"v1",')
      setTimeout(() => lines.reset(), 10)
    }, { protocol })
    expect(await client.get(maps, 'a', 'x', never)).toEqual(object('x'))
    expect(asked).toBe(2)
  })
})

test('many requests share one connection', async () => {
  const { server, client } = await start((request, answer) => answer.json(200, object(request.path.split('/').at(-1) ?? '')))
  const names = Array.from({ length: 60 }, (_, index) => `n${index}`)
  const found = await Promise.all(names.map((name) => client.get(maps, 'a', name, never)))
  expect(found.map((one) => one?.['metadata'])).toMatchObject(names.map((name) => ({ name })))
  expect(server.connections()).toBe(1)
})

test('more open watches than a session has streams do not keep a request waiting', async () => {
  const { server, client } = await start((request, answer) => (request.query.has('watch') ? void answer.lines() : answer.json(200, object('x'))))
  const over = new AbortController()
  const watched = Array.from({ length: 130 }, async (_, index) => {
    for await (const event of client.watch(maps, `n${index}`, {}, '1', over.signal)) throw new Error(event.type)
  })
  await expect.poll(() => server.requests.length).toBe(130)
  expect(await client.get(maps, 'a', 'x', never)).toEqual(object('x'))
  expect(server.connections()).toBeGreaterThan(1)
  over.abort()
  await Promise.all(watched)
})

test('after GOAWAY what is under way is finished, and what is new goes over a new session', async () => {
  const held: (() => void)[] = []
  const { server, client } = await start((request, answer) => {
    if (request.path.endsWith('/slow')) held.push(() => answer.json(200, object('slow')))
    else answer.json(200, object('x'))
  })
  const slow = client.get(maps, 'a', 'slow', never)
  await expect.poll(() => held.length).toBe(1)
  server.goaway()
  // A request may cross the GOAWAY; it is sent again, as the server has not touched it.
  await client.get(maps, 'a', 'x', never)
  await expect.poll(async () => (await client.get(maps, 'a', 'x', never)) !== undefined && server.connections()).toBe(2)
  held[0]?.()
  expect(await slow).toEqual(object('slow'))
})

test('a write is sent again where the server has left the stream alone', async () => {
  let asked = 0
  const { client } = await start((_, answer) => (++asked === 1 ? answer.refuse() : answer.json(201, object('x'))))
  expect(await client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never)).toMatchObject({ created: true })
})

test('429 is waited out for as long as Retry-After says, also for writes, and lowers the limit', async () => {
  const clock = hasty()
  let asked = 0
  const { client } = await start((_, answer) => (++asked <= 2 ? answer.status(429, 'TooManyRequests', 'slow down', {}, { 'retry-after': '7' }) : answer.json(200, object('x'))), { clock })
  await client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never)
  expect(clock.waits.filter((ms) => ms === 7_000).length).toBe(2)
})

test('500 is tried again for a read, and at last is a failure; a write is sent once', async () => {
  const clock = hasty()
  const { server, client } = await start((_, answer) => answer.status(500, 'InternalError', 'etcd is slow'), { clock })
  expect(await failureOf(client.get(maps, 'a', 'x', never))).toMatchObject({ code: 'kubernetes-failing', message: 'etcd is slow', retry: 'later' })
  expect(server.requests.length).toBe(4)
  await failureOf(client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never))
  expect(server.requests.length).toBe(5)
})

test('a body that the schema does not know is refused, although the server answers 500', async () => {
  const { client } = await start((_, answer) => answer.json(500, { kind: 'Status', message: 'failed to create typed patch object (/a; v1, Kind=X): .spec.bogus: field not declared in schema', code: 500 }))
  expect(await failureOf(client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never))).toMatchObject({ code: 'kubernetes-refused', retry: 'never' })
})

test('absent is only what the server itself calls absent', async () => {
  const { server, client } = await start((_, answer) => answer.status(404, 'NotFound', 'configmaps "x" not found', { name: 'x', kind: 'configmaps' }))
  expect(await client.get(maps, 'a', 'x', never)).toBeUndefined()
  server.handle = (_, answer) => answer.text(404, '404 page not found')
  expect(await failureOf(client.get(maps, 'a', 'x', never))).toMatchObject({ code: 'kubernetes-not-found' })
  server.handle = (_, answer) => answer.status(404, 'NotFound', 'the server could not find the requested resource')
  expect(await failureOf(client.get(maps, 'a', 'x', never))).toMatchObject({ code: 'kubernetes-not-found' })
})

test('an object that is no object is a failure', async () => {
  const { server, client } = await start((_, answer) => answer.json(200, {}), { clock: hasty() })
  expect((await failureOf(client.get(maps, 'a', 'x', never))).code).toBe('kubernetes-failing')
  server.handle = (_, answer) => answer.text(200, '<html>sign in</html>')
  expect((await failureOf(client.get(maps, 'a', 'x', never))).message).toContain('not JSON')
})

test('an answer beyond the size limit is not read on', async () => {
  const { client } = await start((_, answer) => answer.json(200, { ...object('x'), data: { a: 'x'.repeat(17 * 1024 * 1024) } }))
  expect((await failureOf(client.get(maps, 'a', 'x', never))).code).toBe('kubernetes-answer-too-large')
})

test('401 reads the kubeconfig again, once', async () => {
  const { server, client } = await start((_, answer) => answer.status(401, 'Unauthorized', 'Unauthorized'))
  expect(await failureOf(client.get(maps, 'a', 'x', never))).toMatchObject({ code: 'kubernetes-unauthorized' })
  expect(server.requests.length).toBe(2)
})

test('a server that cannot be reached is a failure that says so, and not an absence', async () => {
  const { server, client } = await start(() => {}, { clock: hasty() })
  await server.stop()
  const failure = await failureOf(client.get(maps, 'a', 'x', never))
  expect(failure).toMatchObject({ code: 'kubernetes-unreachable', fields: { processed: 'no' } })
  expect(failure.message).toContain('127.0.0.1')
})

test('names that would lead to another path are refused before they are sent', async () => {
  const { server, client } = await start((_, answer) => answer.json(200, object('x')))
  for (const name of ['..', '.', '', 'a/b', 'a%2fb']) expect((await failureOf((async () => client.get(maps, 'a', name, never))())).code).toBe('kubernetes-refused')
  expect((await failureOf((async () => client.get(maps, '../b', 'x', never))())).code).toBe('kubernetes-refused')
  expect(server.requests).toEqual([])
})

test('what a server says about a Secret is not passed on, as it may repeat values', async () => {
  const canary = 'correct-horse-battery'
  const { server, client } = await start((_, answer) =>
    answer.status(422, 'Invalid', `Secret "x" is invalid: data[url]: Invalid value: "${canary}": must be base64`, {
      name: 'x', kind: 'Secret', causes: [{ reason: 'FieldValueInvalid', field: 'data[url]', message: `Invalid value: "${canary}"` }],
    }, { warning: `299 - "value ${canary} is weak"` }),
  )
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', namespace: 'a' }, data: { url: canary } }
  const apply = () => client.apply(secrets, body, { manager: 'm', force: false, dryRun: false }, never)
  const invalid = await failureOf(apply())
  expect(JSON.stringify(invalid)).not.toContain(canary)
  expect(invalid.message).toContain('data[url] (FieldValueInvalid)')
  server.handle = (_, answer) => answer.status(403, 'Forbidden', `admission webhook "w" denied the request: ${canary}`)
  expect(JSON.stringify(await failureOf(apply()))).not.toContain(canary)
  server.handle = (_, answer) => answer.json(500, { kind: 'Status', code: 500, message: `failed to create typed patch object: .data.url: expected string, got &value.valueUnstructured{Value:"${canary}"}` })
  expect(JSON.stringify(await failureOf(apply()))).not.toContain(canary)
  server.handle = (_, answer) => answer.status(403, 'Forbidden', 'secrets "x" is forbidden: User "u" cannot patch resource "secrets" in API group "" in the namespace "a"')
  expect((await failureOf(apply())).message).toContain('User "u" cannot patch')
  server.handle = (_, answer) => answer.json(200, { ...body, metadata: { ...body.metadata, uid: 'u' } }, { warning: `299 - "value ${canary} is weak"` })
  expect((await apply()).warnings).toEqual([])
})

test('warnings are handed on', async () => {
  const { client } = await start((_, answer) => answer.json(200, object('x'), { warning: '299 - "v1 is old", 299 - "say \\"no\\""' }))
  expect((await client.apply(maps, object('x'), { manager: 'm', force: false, dryRun: false }, never)).warnings).toEqual(['v1 is old', 'say "no"'])
})
