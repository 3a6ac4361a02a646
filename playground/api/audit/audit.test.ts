import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { Agent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock, systemClock } from '#lib/clock.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { kubectlFor } from '../testing-kubectl.ts'
import { isInstalled, type TestServer, testServer } from '../testing.ts'
import { eventually } from '../../../test/eventually.ts'
import { AuditFile } from './audit-file.ts'
import type { AuditSink } from './audit-sink.ts'
import { AuditWebhook } from './audit-webhook.ts'

class Kept implements AuditSink {
  readonly events: JsonObject[] = []
  write(event: JsonObject): void {
    this.events.push(event)
  }
  async stop(): Promise<void> {}
  of(verb: string, resource: string): JsonObject[] {
    return this.events.filter((event) => event.verb === verb && isObject(event.objectRef) && event.objectRef.resource === resource)
  }
}

const maps = '/api/v1/namespaces/default/configmaps'
const map = (metadata: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata })

describe('what is done to a cluster is told as audit events', () => {
  let running: TestServer
  const kept = new Kept()
  const write = (method: string, path: string, body?: object, headers: Record<string, string> = {}) => running.ask(method, path, body === undefined ? undefined : JSON.stringify(body), headers)

  beforeAll(async () => {
    running = await testServer()
    running.server.auditTo(kept)
  })
  afterAll(() => running.end())
  beforeEach(() => void kept.events.splice(0))

  test('who asked for what, by which program, and how it ended', async () => {
    const { body } = await write('POST', `${maps}?fieldManager=m`, map({ name: 'told' }), { 'user-agent': 'tool/1.0' })
    const { uid } = body.metadata as JsonObject
    await write('PATCH', `${maps}/told?fieldManager=m&dryRun=All`, { data: { a: 'secret' } })
    await write('DELETE', `${maps}/told`)
    await write('DELETE', `${maps}/told`)
    expect(kept.events).toMatchObject([
      {
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level: 'Metadata',
        stage: 'ResponseComplete',
        requestURI: `${maps}?fieldManager=m`,
        verb: 'create',
        user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
        sourceIPs: ['127.0.0.1'],
        userAgent: 'tool/1.0',
        objectRef: { resource: 'configmaps', namespace: 'default', name: 'told', apiVersion: 'v1' },
        responseStatus: { metadata: {}, code: 201 },
        annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
      },
      { verb: 'patch', requestURI: `${maps}/told?fieldManager=m&dryRun=All`, responseStatus: { code: 200 } },
      { verb: 'delete', objectRef: { name: 'told' }, responseStatus: { status: 'Success', details: { name: 'told', kind: 'configmaps', uid }, code: 200 } },
      { verb: 'delete', responseStatus: { status: 'Failure', reason: 'NotFound', message: 'configmaps "told" not found', code: 404 } },
    ])
    expect(JSON.stringify(kept.events)).not.toContain('secret')
    const [received, answered] = [String(kept.events[0]?.requestReceivedTimestamp), String(kept.events[0]?.stageTimestamp)]
    expect([received, answered]).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/), expect.stringMatching(/Z$/)])
    expect(new Set(kept.events.map(({ auditID }) => auditID)).size).toBe(4)
  })

  test('a name that is generated is not told, nor is who only reads, nor an Event or a Lease', async () => {
    await write('POST', maps, map({ generateName: 'some-' }))
    await write('GET', maps)
    await write('POST', '/api/v1/namespaces/default/events', { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { namespace: 'default' } })
    await write('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } })
    expect(kept.events.map(({ objectRef }) => objectRef)).toEqual([{ resource: 'configmaps', namespace: 'default', apiVersion: 'v1' }])
  })

  test('whom somebody impersonates is told beside him, and what he may not do too', async () => {
    const as = { 'impersonate-user': 'ada@orders.example', 'impersonate-group': 'orders' }
    expect((await write('DELETE', `${maps}/any`, undefined, as)).status).toBe(403)
    expect(kept.events).toMatchObject([
      {
        user: { username: 'kubernetes-admin' },
        impersonatedUser: { username: 'ada@orders.example', groups: ['orders', 'system:authenticated'] },
        responseStatus: { reason: 'Forbidden', code: 403 },
        annotations: { 'authorization.k8s.io/decision': 'forbid' },
      },
    ])
  })

  test('what programs in process write is told with their own users, once, and only where it changed something', () => {
    const { objects } = running.server
    const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
    objects.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own', namespace: 'default' } }, 'kubelet')
    const set = (value: string): unknown => objects.edit(configMaps, 'default', 'own', 'object', 'kube-controller-manager', (object) => void (object.data = { a: value }))
    set('1')
    set('1')
    objects.delete(configMaps, 'default', 'own')
    objects.delete(configMaps, 'default', 'own')
    expect(kept.events.map(({ verb, user, userAgent, requestURI }) => [verb, (user as JsonObject).username, String(userAgent).split('/')[0], requestURI])).toEqual([
      ['create', 'system:node:playground', 'kubelet', maps],
      ['update', 'system:kube-controller-manager', 'kube-controller-manager', `${maps}/own`],
      ['delete', 'system:kube-controller-manager', 'kube-controller-manager', `${maps}/own`],
    ])
  })

  describe.skipIf(!isInstalled('kubectl'))('what kubectl does (skipped where it is not installed)', () => {
    let client: ReturnType<typeof kubectlFor>
    beforeAll(() => {
      client = kubectlFor(running.server)
    })
    afterAll(() => client.end())

    test('names a person who has a client certificate, the subresource, and who removed what', async () => {
      const { kubectl, home } = client
      await kubectl('create deployment web --image=app:1')
      const { certificate, key } = running.server.clientCertificate({ name: 'noor@platform.example', groups: ['system:masters'] })
      writeFileSync(join(home, 'noor.pem'), certificate)
      writeFileSync(join(home, 'noor.key'), key)
      writeFileSync(join(home, 'ca.pem'), running.server.ca)
      const asNoor = ['--kubeconfig', '/dev/null', '--server', running.server.url, '--certificate-authority', join(home, 'ca.pem'), '--client-certificate', join(home, 'noor.pem'), '--client-key', join(home, 'noor.key')]
      await kubectl([...asNoor, 'scale', 'deployment', 'web', '--replicas=3'])
      await kubectl([...asNoor, 'delete', 'deployment', 'web'])
      const scaled = kept.of('patch', 'deployments').concat(kept.of('update', 'deployments'))
      expect(scaled).toMatchObject([{ user: { username: 'noor@platform.example' }, objectRef: { name: 'web', apiGroup: 'apps', subresource: 'scale' }, userAgent: expect.stringMatching(/^kubectl\//) }])
      expect(kept.of('delete', 'deployments')).toMatchObject([{ user: { username: 'noor@platform.example' }, objectRef: { name: 'web' } }])
    })
  })
})

test('everything is told where that is asked for, watches when they end', async () => {
  const running = await testServer({ auditPolicy: 'everything' })
  try {
    const kept = new Kept()
    running.server.auditTo(kept)
    await running.ask('GET', maps)
    const agent = new Agent({ ca: running.server.ca, keepAlive: true })
    const watching = running.ask('GET', `${maps}?watch=true`, undefined, {}, agent).catch(() => 'cut off')
    await eventually(() => running.server.requests().some(({ path, status }) => path.endsWith('watch=true') && status === 200))
    await running.ask('GET', '/version')
    agent.destroy()
    await watching
    await eventually(() => kept.events.length === 3)
    expect(kept.events.map(({ verb, requestURI }) => [verb, requestURI])).toEqual([['list', maps], ['get', '/version'], ['watch', `${maps}?watch=true`]])
  } finally {
    await running.end()
  }
})

describe('the file of audit events', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'audit-'))
    return () => rmSync(dir, { recursive: true, force: true })
  })

  test('grows by lines, is bounded, and goes on after a restart', async () => {
    const clock = new FakeClock()
    const options = { path: join(dir, 'audit.log'), largestBytes: 125, kept: 2, clock, log: () => {} }
    for (let i = 0; i < 12; i += 1) {
      const file = new AuditFile(options)
      file.write({ i, text: 'x'.repeat(20) })
      await file.stop()
      clock.advance(1000)
    }
    const names = readdirSync(dir).sort()
    expect(names).toEqual(['audit-2026-01-01T00-00-06.000.log', 'audit-2026-01-01T00-00-09.000.log', 'audit.log'])
    const lines = names.map((name) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n').map((line) => (JSON.parse(line) as { i: number }).i))
    expect(lines).toEqual([[3, 4, 5], [6, 7, 8], [9, 10, 11]])
  })

  test('that somebody takes away is begun anew', async () => {
    const path = join(dir, 'audit.log')
    const file = new AuditFile({ path, largestBytes: 50, clock: systemClock, log: () => {} })
    for (let i = 0; i < 4; i += 1) {
      file.write({ i, text: 'x'.repeat(20) })
      await file.stop()
      if (i === 0) rmSync(path)
    }
    expect(readFileSync(path, 'utf8')).toContain('"i":3')
  })

  test('that cannot be written is told once, and nobody is held up', async () => {
    const told: string[] = []
    const file = new AuditFile({ path: join(dir, 'no', 'such', 'audit.log'), clock: systemClock, log: (line) => told.push(line) })
    file.write({ i: 1 })
    await file.stop()
    file.write({ i: 2 })
    await file.stop()
    expect(told).toEqual([expect.stringMatching(/^the audit log cannot be written: ENOENT/)])
  })
})

describe('a webhook of audit events', () => {
  let server: Server
  let answers: number[]
  const lists: { body: JsonObject; token: string | undefined }[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.statusCode = answers.shift() ?? 200
        if (response.statusCode === 200) lists.push({ body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject, token: request.headers.authorization })
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`

  test('is posted EventLists, in order, and asked again where it failed', async () => {
    answers = [503]
    const clock = new FakeClock()
    const webhook = new AuditWebhook({ url: url(), token: 't' }, clock, () => {})
    webhook.write({ i: 1 })
    webhook.write({ i: 2 })
    await eventually(() => answers.length === 0)
    webhook.write({ i: 3 })
    await eventually(() => (clock.advance(1000), lists.length === 2))
    await webhook.stop()
    const head = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {} }
    expect(lists).toEqual([
      { body: { ...head, items: [{ i: 1 }, { i: 2 }] }, token: 'Bearer t' },
      { body: { ...head, items: [{ i: 3 }] }, token: 'Bearer t' },
    ])
  })

  test('what it never takes is given up, and told', async () => {
    answers = [500, 500, 500, 500, 500]
    const told: string[] = []
    const clock = new FakeClock()
    const webhook = new AuditWebhook({ url: url() }, clock, (line) => told.push(line))
    webhook.write({ i: 1 })
    await eventually(() => (clock.advance(5000), told.length === 1))
    expect(told[0]).toContain('1 events are given up: it answered 500')
    await webhook.stop()
  })

  test('is on this machine, or refused', () => {
    expect(() => new AuditWebhook({ url: 'https://logs.example/audit' }, systemClock, () => {})).toThrow('loopback addresses alone')
  })
})
