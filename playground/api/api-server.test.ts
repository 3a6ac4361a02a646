import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type TestServer, testServer } from './testing.ts'

let running: TestServer
beforeAll(async () => {
  running = await testServer()
})
afterAll(() => running.end())

const configMaps = '/api/v1/namespaces/default/configmaps'
const configMap = (name: string, data: Record<string, string> = {}): KubernetesObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })

describe('who may ask', () => {
  test('without a token, or with a wrong one, nothing but health and version is answered', async () => {
    expect((await running.ask('GET', '/api/v1/namespaces', undefined, { authorization: '' })).status).toBe(401)
    expect((await running.ask('GET', '/api/v1/namespaces', undefined, { authorization: 'Bearer wrong' })).body.reason).toBe('Unauthorized')
    expect((await running.ask('GET', '/readyz', undefined, { authorization: '' })).text).toBe('ok')
  })

  test('the token and the keys are in files that only their owner reads', () => {
    expect(statSync(join(running.dir, 'admin-token')).mode & 0o777).toBe(0o600)
    expect(statSync(join(running.dir, 'certificates.json')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(running.dir, 'admin-token'), 'utf8').trim()).toBe(running.server.adminToken)
  })

  test('whoever asks hears who he is and what he may do', async () => {
    const self = await running.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    expect(self.body.status).toEqual({ userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } })
    const may = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } }
    expect((await running.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', may)).body.status).toMatchObject({ allowed: true })
  })
})

describe('bad input', () => {
  test('a body over 3 MiB is 413, and the connection lives on', async () => {
    const huge = await running.ask('POST', configMaps, configMap('huge', { x: 'x'.repeat(3 * 1024 * 1024) }))
    expect([huge.status, huge.body.reason]).toEqual([413, 'RequestEntityTooLarge'])
    expect((await running.ask('GET', configMaps)).status).toBe(200)
  })

  test('what nests a hundred thousand deep is refused, as JSON and as YAML', async () => {
    const deep = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect((await running.ask('POST', configMaps, deep)).status).toBe(400)
    expect((await running.ask('PATCH', `${configMaps}/deep`, deep)).status).toBe(404)
    const applied = await running.ask('PATCH', `${configMaps}/deep?fieldManager=x`, deep, { 'content-type': 'application/apply-patch+yaml' })
    expect(applied.status).toBe(400)
  })

  test('an alias bomb is refused', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghij'.split('').map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[index]}`).join(',')}]`)].join('\n')
    const applied = await running.ask('PATCH', `${configMaps}/bomb?fieldManager=x`, bomb, { 'content-type': 'application/apply-patch+yaml' })
    expect(applied.status).toBe(400)
  })

  test('all namespaces at once are not deleted', async () => {
    expect(await running.ask('DELETE', '/api/v1/namespaces')).toMatchObject({ status: 405, body: { reason: 'MethodNotAllowed' } })
    const { resources } = (await running.ask('GET', '/api/v1')).body as { resources: { name: string; verbs: string[] }[] }
    const verbs = (name: string) => resources.find((resource) => resource.name === name)?.verbs
    expect([verbs('namespaces'), verbs('pods')]).toEqual([expect.not.arrayContaining(['deletecollection']), expect.arrayContaining(['deletecollection'])])
  })

  test('protobuf that is broken, or says what is not known here, is refused', async () => {
    const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes])
    const typeMeta = field(1, Buffer.concat([field(1, Buffer.from('v1')), field(2, Buffer.from('ConfigMap'))]))
    const whole = (raw: Buffer): Buffer => Buffer.concat([Buffer.from('k8s\0'), typeMeta, field(2, raw)])
    const named = field(1, field(1, Buffer.from('binary')))
    expect((await running.ask('POST', configMaps, whole(named), protobuf)).status).toBe(201)
    expect((await running.ask('POST', configMaps, Buffer.from('k8s\0\xff\xff\xff'), protobuf)).status).toBe(400)
    expect((await running.ask('POST', configMaps, Buffer.from('{}'), protobuf)).status).toBe(400)
    const unknown = await running.ask('POST', configMaps, whole(Buffer.concat([named, field(9, Buffer.from('x'))])), protobuf)
    expect([unknown.status, unknown.body.message]).toEqual([400, expect.stringContaining('field 9 is not known here')])
    expect((await running.ask('POST', configMaps, whole(named.subarray(0, 5)), protobuf)).status).toBe(400)
  })

  test('no JSON, another kind, a foreign namespace and a broken path are told apart', async () => {
    expect((await running.ask('POST', configMaps, '{"a":')).body.message).toMatch(/unexpected end of JSON input/)
    expect((await running.ask('POST', configMaps, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } })).status).toBe(400)
    expect((await running.ask('POST', configMaps, { ...configMap('a'), metadata: { name: 'a', namespace: 'other' } })).status).toBe(400)
    expect((await running.ask('GET', '/api/v1/namespaces/%E0%A4%A/configmaps')).status).toBe(404)
    expect((await running.ask('POST', configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: 'x' })).status).toBe(400)
  })

  test('a name from a prototype is a name like any other', async () => {
    const patch = '{"data":{"__proto__":"x","constructor":"y"}}'
    await running.ask('POST', configMaps, configMap('proto'))
    const patched = await running.ask('PATCH', `${configMaps}/proto`, patch)
    expect(Object.entries(patched.body.data ?? {})).toEqual(expect.arrayContaining([['constructor', 'y']]))
    expect(({} as { x?: string }).x).toBeUndefined()
  })
})

describe('what tests ask for', () => {
  test('every request is in the log, with its query', async () => {
    await running.ask('GET', `${configMaps}?labelSelector=a%3Db`)
    expect(running.server.requests().at(-1)).toMatchObject({ method: 'GET', path: `${configMaps}?labelSelector=a%3Db` })
  })

  test('faults are answered as often as was asked: 429 with Retry-After, 500, a dropped connection', async () => {
    running.server.inject({ times: 1, method: 'GET', path: '/configmaps', answer: '429', retryAfterSeconds: 7 })
    const slow = await running.ask('GET', configMaps)
    expect([slow.status, slow.headers['retry-after']]).toEqual([429, '7'])
    running.server.inject({ times: 2, path: '/configmaps', answer: '500' })
    expect([(await running.ask('GET', configMaps)).status, (await running.ask('GET', configMaps)).status, (await running.ask('GET', configMaps)).status]).toEqual([500, 500, 200])
    running.server.inject({ times: 1, path: '/configmaps', answer: 'drop' })
    await expect(running.ask('GET', configMaps)).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect((await running.ask('GET', configMaps)).status).toBe(200)
  })

  test('a watch can be ended, or be told that its version is too old', async () => {
    running.server.inject({ times: 1, answer: 'watch-expired' })
    expect((await running.ask('GET', `${configMaps}?watch=1`)).body).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    running.server.inject({ times: 1, answer: 'watch-close' })
    expect((await running.ask('GET', `${configMaps}?watch=1`)).text).toBe('')
  })

  test('a request that hangs is answered never, and hinders nobody', async () => {
    running.server.inject({ times: 1, path: '/hanging', answer: 'hang' })
    let answered = false
    const hanging = running.ask('GET', `${configMaps}/hanging`).then(
      () => (answered = true),
      () => {},
    )
    expect((await running.ask('GET', configMaps)).status).toBe(200)
    expect(answered).toBe(false)
    void hanging
  })

  test('a version that has not come yet is waited for, and is a 504 after three seconds', async () => {
    const clock = new FakeClock()
    const patient = await testServer({ clock })
    const { resourceVersion } = (await patient.ask('GET', configMaps)).body.metadata as { resourceVersion: string }
    const next = Number(resourceVersion) + 1
    const listed = patient.ask('GET', `${configMaps}?resourceVersion=${next}`)
    await expect.poll(() => patient.server.requests().length).toBe(2)
    await patient.ask('POST', configMaps, configMap('awaited'))
    expect((await listed).body.items).toHaveLength(1)
    const late = patient.ask('GET', `${configMaps}/awaited?resourceVersion=${next + 5}`)
    await expect.poll(() => (clock.advance(1000), patient.server.requests().at(-1)?.status)).toBe(504)
    expect((await late).body).toMatchObject({ code: 504, details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } })
    await patient.end()
  })

  test('after compact(), older versions are 410', async () => {
    const before = (await running.ask('GET', configMaps)).body.metadata as { resourceVersion: string }
    await running.ask('POST', configMaps, configMap('compacted'))
    running.server.compact()
    const watched = await running.ask('GET', `${configMaps}?watch=1&resourceVersion=${before.resourceVersion}`)
    expect(watched.body).toMatchObject({ type: 'ERROR', object: { code: 410 } })
  })
})

describe('what a long life needs', () => {
  test('events are gone an hour after they last changed, also after a restart', async () => {
    const clock = new FakeClock()
    const events = { group: '', version: 'v1', plural: 'events' }
    const event = (name: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    })
    const first = await testServer({ clock })
    first.server.objects.create(events, event('old'), 'x')
    await first.server.stop()
    const second = await testServer({ clock, dir: first.dir })
    clock.advance(1_800_000)
    second.server.objects.create(events, event('middle'), 'x')
    clock.advance(1_800_001)
    second.server.objects.create(events, event('new'), 'x')
    expect(second.server.objects.list(events).map((object) => object.metadata.name)).toEqual(['middle', 'new'])
    await second.end()
  })

  test('a watcher that reads nothing is cut off, and costs the others nothing', async () => {
    const narrow = await testServer({ watchBufferBytes: 100_000 })
    const session = connect(narrow.server.url, { ca: narrow.server.ca, settings: { initialWindowSize: 1024 } })
    const stream = session.request({ ':path': `${configMaps}?watch=1`, authorization: `Bearer ${narrow.server.adminToken}` })
    stream.on('error', () => {})
    await once(stream, 'response')
    stream.pause()
    const { objects } = narrow.server
    const resource = { group: '', version: 'v1', plural: 'configmaps' }
    objects.create(resource, { ...configMap('large'), metadata: { name: 'large', namespace: 'default' } }, 'x')
    for (let round = 0; round < 5; round += 1) {
      objects.edit(resource, 'default', 'large', 'object', 'x', (object) => (object.data = { x: `${round}`.padEnd(100_000, 'x') }))
    }
    const quick = await narrow.ask('GET', `${configMaps}/large`)
    expect(quick.status).toBe(200)
    stream.resume()
    await once(stream, 'end')
    session.destroy()
    await narrow.end()
  })
})

describe('the wire', () => {
  test('HTTP/2 carries the same, and many requests share its connection', async () => {
    const session = connect(running.server.url, { ca: running.server.ca })
    const get = async (path: string): Promise<number> => {
      const stream = session.request({ ':path': path, authorization: `Bearer ${running.server.adminToken}` })
      stream.resume()
      const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
      await once(stream, 'close')
      return headers[':status']
    }
    const statuses = await Promise.all(Array.from({ length: 50 }, () => get('/api/v1/namespaces')))
    session.close()
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('kill -9 loses nothing that was answered', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'killed-'))
    const script = `
      import { startApiServer } from ${JSON.stringify(join(import.meta.dirname, 'api-server.ts'))}
      import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'lib', 'clock.ts'))}
      const server = await startApiServer({ dir: ${JSON.stringify(dir)}, port: 0, clock: systemClock, name: 'killed' })
      console.log(JSON.stringify({ url: server.url, token: server.adminToken, ca: server.ca }))
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { url, token, ca } = JSON.parse(line.toString()) as { url: string; token: string; ca: string }
    const session = connect(url, { ca })
    session.on('error', () => {})
    const answered: string[] = []
    const create = async (name: string): Promise<void> => {
      const stream = session.request({ ':method': 'POST', ':path': configMaps, authorization: `Bearer ${token}`, 'content-type': 'application/json' })
      stream.on('error', () => {})
      stream.on('response', (headers) => {
        if (headers[':status'] === 201) answered.push(name)
        if (answered.length === 100) child.kill('SIGKILL')
      })
      stream.end(JSON.stringify(configMap(name)))
      stream.resume()
      await once(stream, 'close').catch(() => {})
    }
    await Promise.all(Array.from({ length: 300 }, (_, index) => create(`n${index}`)))
    session.destroy()
    const again = await testServer({ dir })
    const names = again.server.objects.list({ group: '', version: 'v1', plural: 'configmaps' }, 'default').map((object) => object.metadata.name)
    await again.end()
    rmSync(dir, { recursive: true, force: true })
    expect(answered.length).toBeGreaterThanOrEqual(100)
    expect(answered.filter((name) => !names.includes(name))).toEqual([])
  })
})
