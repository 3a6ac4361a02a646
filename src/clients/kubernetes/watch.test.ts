import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { startFakeApiServer, type FakeApiServer, type FakeHandler } from '../../../test/fake-api-server.ts'
import type { KubernetesClient, KubernetesWatchEvent, ServedKind } from './client.ts'
import { openKubernetes } from './open.ts'

const maps: ServedKind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] }
const never = new AbortController().signal
const bare = (name: string, version: string) => ({ metadata: { name, uid: `uid-${name}`, resourceVersion: version } })
const page = (items: unknown, version = '10', next = '') => ({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: version, continue: next }, items })

let servers: FakeApiServer[] = []
let clients: KubernetesClient[] = []
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
  clients = []
})

async function start(handle: FakeHandler, protocol: 'h2' | 'http/1.1' = 'h2') {
  const server = await startFakeApiServer(handle, { protocol })
  servers.push(server)
  const client = await openKubernetes({ kubeconfig: server.kubeconfig, context: 'fake', clock: systemClock })
  clients.push(client)
  return { server, client }
}

const codeOf = (work: Promise<unknown>) => work.then(() => 'nothing', (error: unknown) => asFailure(error, 'x').code)

describe('list', () => {
  test('takes every page, and says what its items are', async () => {
    const { server, client } = await start((request, answer) =>
      request.query.has('continue') ? answer.json(200, page([bare('b', '2')])) : answer.json(200, page([bare('a', '1')], '10', 'token+/=')),
    )
    const list = await client.list(maps, 'n', { labels: 'x=y' }, never)
    expect(list.version).toBe('10')
    expect(list.items).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, { kind: 'ConfigMap', metadata: { name: 'b' } }])
    expect(server.requests.map(({ query }) => Object.fromEntries(query))).toEqual([
      { limit: '500', labelSelector: 'x=y' },
      { limit: '500', continue: 'token+/=', labelSelector: 'x=y' },
    ])
  })

  test('begins again when a page has expired in the middle', async () => {
    let expired = false
    const { client } = await start((request, answer) => {
      if (!request.query.has('continue')) return answer.json(200, page([bare('a', '1')], expired ? '20' : '10', 'next'))
      if (expired) return answer.json(200, page([bare('b', '2')], '20'))
      expired = true
      answer.status(410, 'Expired', 'too old')
    })
    const list = await client.list(maps, undefined, {}, never)
    expect(list.items.length).toBe(2)
    expect(list.version).toBe('20')
  })

  test('gives up on a list that expires again and again', async () => {
    const { client } = await start((request, answer) => (request.query.has('continue') ? answer.status(410, 'Expired', 'too old') : answer.json(200, page([bare('a', '1')], '1', 'next'))))
    expect(await codeOf(client.list(maps, undefined, {}, never))).toBe('kubernetes-expired')
  })

  test('a page that fails fails the list: there is no short list', async () => {
    const { client } = await start((request, answer) => (request.query.has('continue') ? answer.status(403, 'Forbidden', 'no') : answer.json(200, page([bare('a', '1')], '1', 'next'))))
    expect(await codeOf(client.list(maps, undefined, {}, never))).toBe('kubernetes-refused')
  })

  test('an empty list is a list, an empty answer is not', async () => {
    const { server, client } = await start((_, answer) => answer.json(200, page(null)))
    expect(await client.list(maps, undefined, {}, never)).toEqual({ items: [], version: '10' })
    for (const answered of [{}, { metadata: { resourceVersion: '1' } }, { items: [] }, [], null, { metadata: { resourceVersion: '1' }, items: ['x'] }]) {
      server.handle = (_, answer) => answer.json(200, answered)
      expect(await codeOf(client.list(maps, undefined, {}, never))).toBe('kubernetes-failing')
    }
  })
})

/** Takes events until `enough`, then ends the watch. */
async function take(events: AsyncIterable<KubernetesWatchEvent>, enough: (seen: KubernetesWatchEvent[]) => boolean): Promise<KubernetesWatchEvent[]> {
  const seen: KubernetesWatchEvent[] = []
  for await (const event of events) {
    seen.push(event)
    if (enough(seen)) return seen
  }
  return seen
}

describe('watch', () => {
  test('without a version it lists, then follows from there, with bookmarks', async () => {
    const { server, client } = await start((request, answer) => {
      if (!request.query.has('watch')) return answer.json(200, page([bare('a', '1')]))
      const lines = answer.lines()
      lines.write({ type: 'MODIFIED', object: bare('a', '11') })
      lines.write({ type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '12' } } })
    })
    const seen = await take(client.watch(maps, 'n', {}, undefined, never), (events) => events.length === 5)
    expect(seen.map((event) => event.type)).toEqual(['RELIST', 'ADDED', 'BOOKMARK', 'MODIFIED', 'BOOKMARK'])
    expect(seen[3]).toMatchObject({ object: { apiVersion: 'v1', kind: 'ConfigMap' } })
    expect(Object.fromEntries(server.requests[1]?.query ?? [])).toMatchObject({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '10' })
  })

  test.each(['h2', 'http/1.1'] as const)('resumes after a lost connection at the last version it saw, over %s', async (protocol) => {
    let asked = 0
    const { server, client } = await start((_, answer) => {
      asked += 1
      const lines = answer.lines()
      if (asked === 1) {
        lines.write({ type: 'ADDED', object: bare('a', '21') })
        lines.write({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '25' } } })
        // Cut in the middle of an event, which must come again whole.
        lines.raw('{"type":"ADDED","object":{"meta')
        setTimeout(() => server.dropAll(), 20)
      } else lines.write({ type: 'ADDED', object: bare('b', '26') })
    }, protocol)
    const seen = await take(client.watch(maps, 'n', {}, '20', never), (events) => events.length === 3)
    expect(seen.map((event) => ('object' in event ? (event.object['metadata'] as { name: string }).name : event.type))).toEqual(['a', 'BOOKMARK', 'b'])
    expect(server.requests.map((request) => request.query.get('resourceVersion'))).toEqual(['20', '25'])
  })

  test('a clean end, as by the server\'s time limit, resumes too', async () => {
    let asked = 0
    const { server, client } = await start((_, answer) => {
      const lines = answer.lines()
      lines.write({ type: 'MODIFIED', object: bare('a', String(30 + ++asked)) })
      if (asked < 3) lines.end()
    })
    await take(client.watch(maps, 'n', {}, '30', never), (events) => events.length === 3)
    expect(server.requests.map((request) => request.query.get('resourceVersion'))).toEqual(['30', '31', '32'])
  })

  test.each([
    ['as an event', (answer: Parameters<FakeHandler>[1]) => answer.lines().write({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })],
    ['as a status', (answer: Parameters<FakeHandler>[1]) => answer.status(410, 'Expired', 'too old')],
  ])('410 %s begins again with RELIST', async (_, expire) => {
    const { server, client } = await start((request, answer) => {
      if (!request.query.has('watch')) answer.json(200, page([bare('b', '40')], '41'))
      else if (request.query.get('resourceVersion') === '3') expire(answer)
      else answer.lines().write({ type: 'DELETED', object: bare('b', '42') })
    })
    const seen = await take(client.watch(maps, 'n', {}, '3', never), (events) => events.length === 4)
    expect(seen.map((event) => event.type)).toEqual(['RELIST', 'ADDED', 'BOOKMARK', 'DELETED'])
    expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('41')
  })

  test('a server in trouble is waited for; one that refuses is not', async () => {
    let asked = 0
    const { server, client } = await start((_, answer) => (++asked === 1 ? answer.status(503, 'ServiceUnavailable', 'starting') : answer.lines().write({ type: 'ADDED', object: bare('a', '51') })))
    expect((await take(client.watch(maps, 'n', {}, '50', never), () => true)).length).toBe(1)
    server.handle = (_, answer) => answer.status(403, 'Forbidden', 'no')
    expect(await codeOf(take(client.watch(maps, 'n', {}, '50', never), () => true))).toBe('kubernetes-refused')
  })

  test('events that make no sense are not believed', async () => {
    const nonsense = ['no json', '{"type":"ADDED","object":{}}', '{"type":"EXPLODED","object":{"metadata":{"resourceVersion":"99"}}}', 'null']
    const { server, client } = await start((_, answer) => {
      const line = nonsense.shift()
      const lines = answer.lines()
      if (line === undefined) lines.write({ type: 'ADDED', object: bare('a', '61') })
      else lines.raw(`${line}\n`)
    })
    expect(await take(client.watch(maps, 'n', {}, '60', never), () => true)).toMatchObject([{ type: 'ADDED' }])
    expect(new Set(server.requests.map((request) => request.query.get('resourceVersion')))).toEqual(new Set(['60']))
  })

  test('ends quietly with the signal', async () => {
    const { server, client } = await start((_, answer) => void answer.lines())
    const gone = new AbortController()
    const seen = take(client.watch(maps, 'n', {}, '70', gone.signal), () => false)
    await expect.poll(() => server.requests.length).toBe(1)
    gone.abort(new Error('enough'))
    expect(await seen).toEqual([])
  })
})
