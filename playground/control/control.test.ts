import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { deployments, ingresses, namespaces, pods, services } from '#playground/controllers/kinds.ts'
import { findPostgres } from '#playground/databases/programs.ts'
import { startPlayground, type Playground } from '#playground/playground.ts'
import { askPlayground } from './ask-playground.ts'
import type { ControlRequest } from './control.ts'
import { controlSocketOf } from './socket-path.ts'

const hasPostgres = findPostgres(process.env['PATH'] ?? '') !== undefined
const labels = { app: 'orders-api' }

describe('break and mend, on a running playground', () => {
  let dir: string
  let playground: Playground
  const heard: string[] = []
  const control = (request: ControlRequest) => askPlayground(dir, request, (doing) => heard.push(doing))
  const tell = (verb: 'break' | 'mend', what: string, environment = 'production') => control({ do: verb, what, environment })
  const sandbox = () => playground.clusters['sandbox'] as Playground['clusters'][string]
  const url = (credential: string): string => readFileSync(join(dir, 'credentials', credential), 'utf8').trim()
  const ask = async (credential: string, text: string): Promise<unknown> => {
    const client = new Client({ connectionString: url(credential), connectionTimeoutMillis: 1_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return Object.values((await client.query<Record<string, unknown>>(text)).rows[0] ?? {})[0]
    } finally {
      await client.end()
    }
  }
  const visit = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(sandbox().ingressUrl)
      request({ hostname, port, path: '/version', headers: { host: 'orders.example' }, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      }).on('error', reject).end()
    })

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-control-'))
    playground = await startPlayground({ dir, clock: systemClock, log: () => {}, searchPath: process.env['PATH'] ?? '' })
    await playground.database?.started
    const { objects } = sandbox()
    const metadata = { name: 'orders-api', namespace: 'orders' }
    objects.create(namespaces, { metadata: { name: 'orders' } }, 'test')
    const container = { name: 'main', image: 'registry.shop.example/orders/orders-api:1.4.1', ports: [{ name: 'http', containerPort: 8080 }], readinessProbe: { httpGet: { path: '/readyz', port: 'http' } } }
    objects.create(deployments, { metadata, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } } } }, 'test')
    objects.create(services, { metadata, spec: { selector: labels, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] } }, 'test')
    objects.create(ingresses, { metadata, spec: { rules: [{ host: 'orders.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'orders-api', port: { name: 'http' } } } }] } }] } }, 'test')
    await until(async () => (await visit()) === 200)
  })
  afterAll(async () => {
    await playground?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('everything is listed, whole, with what a person then sees', async () => {
    const rows = await control({ do: 'list' })
    expect(rows.filter(({ environment }) => environment === 'sandbox').map(({ name }) => name)).toEqual(['image', 'ingress', 'dns', 'api'])
    expect(rows.filter(({ environment }) => environment === 'production').map(({ name }) => name)).toEqual(['replication', 'primary', 'replica', 'promote', 'image', 'ingress', 'dns', 'api'])
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(hasPostgres ? ['whole'] : ['whole', 'absent']))
    for (const { does, shows } of rows) expect(does.length * shows.length).toBeGreaterThan(100)
  })

  test('the socket is its owner’s alone', () => {
    expect(statSync(controlSocketOf(dir)).mode & 0o777).toBe(0o600)
  })

  test('ingress: refused while it is broken, and at the same port again', async () => {
    expect(await tell('break', 'ingress', 'sandbox')).toMatchObject([{ name: 'ingress', environment: 'sandbox', state: 'broken' }])
    await expect(visit()).rejects.toThrow('ECONNREFUSED')
    expect(await tell('break', 'ingress', 'sandbox')).toMatchObject([{ state: 'broken' }])
    expect(await tell('mend', 'ingress', 'sandbox')).toMatchObject([{ state: 'whole' }])
    expect(await visit()).toBe(200)
  })

  test('dns: the name of the Ingress is not answered while it is broken, and is again', async () => {
    const resolver = new Resolver({ timeout: 300, tries: 1 })
    resolver.setServers([sandbox().names.address])
    expect(await resolver.resolve4('orders.example')).toEqual(['127.0.0.1'])
    await tell('break', 'dns', 'sandbox')
    await expect(resolver.resolve4('orders.example')).rejects.toMatchObject({ code: expect.stringMatching(/^(?:ECONNREFUSED|ETIMEOUT)$/) })
    expect(await visit()).toBe(200)
    expect(await tell('mend', 'dns', 'sandbox')).toMatchObject([{ state: 'whole' }])
    expect(await resolver.resolve4('orders.example')).toEqual(['127.0.0.1'])
  })

  test('image: a pod is replaced by one that cannot be pulled, and mended it comes up', async () => {
    await tell('break', 'image', 'sandbox')
    const waiting = () => sandbox().objects.list(pods, 'orders').map(({ status }) => status?.containerStatuses?.[0]?.state.waiting?.reason)
    await until(async () => waiting().includes('ImagePullBackOff'))
    expect(await visit()).toBe(503)
    await tell('mend', 'image', 'sandbox')
    await until(async () => (await visit()) === 200)
  })

  test('api: requests hang in that environment alone, and are answered again', async () => {
    const version = async (name: string): Promise<boolean> => {
      const { api } = playground.clusters[name] as Playground['clusters'][string]
      const { request: https } = await import('node:https')
      return new Promise((resolve) => {
        const asked = https(`${api.url}/version`, { ca: api.ca, agent: false, timeout: 300 }, (response) => {
          response.resume()
          resolve(response.statusCode === 200)
        })
        asked.on('timeout', () => asked.destroy()).on('error', () => resolve(false)).end()
      })
    }
    await tell('break', 'api', 'sandbox')
    expect([await version('sandbox'), await version('staging')]).toEqual([false, true])
    await tell('mend', 'api', 'sandbox')
    expect(await version('sandbox')).toBe(true)
    await tell('break', 'api', 'sandbox')
    expect(await version('sandbox')).toBe(false)
    await tell('mend', 'api', 'sandbox')
  })

  test.skipIf(!hasPostgres)('replication, primary, replica and promote: each is really so, and really mended (skipped where there is no PostgreSQL)', async () => {
    const paused = 'select pg_is_wal_replay_paused()'
    await tell('break', 'replication')
    expect(await ask('orders-db-replica', paused)).toBe(true)
    expect(await tell('mend', 'replication')).toMatchObject([{ state: 'whole' }])
    expect(await ask('orders-db-replica', paused)).toBe(false)

    const connected = new Client({ connectionString: url('orders-db'), query_timeout: 1_000 })
    connected.on('error', () => {})
    await connected.connect()
    expect(await tell('break', 'primary')).toMatchObject([{ name: 'primary', state: 'broken' }])
    await expect(ask('orders-db', 'select 1')).rejects.toThrow('timeout')
    await expect(connected.query('select 1')).rejects.toThrow('timeout')
    await connected.end()
    expect(await ask('orders-db-replica', 'select 1')).toBe(1)
    expect(await tell('mend', 'primary')).toMatchObject([{ state: 'whole' }])
    expect(await ask('orders-db', 'select pg_is_in_recovery()')).toBe(false)

    await tell('break', 'replica')
    await expect(ask('orders-db-replica', 'select 1')).rejects.toThrow('ECONNREFUSED')
    await expect(tell('break', 'replication')).rejects.toMatchObject({ code: 'breakage-impossible' })
    await tell('mend', 'replica')
    expect(await ask('orders-db-replica', 'select 1')).toBe(1)

    expect(await tell('break', 'promote')).toMatchObject([{ state: 'broken' }])
    expect(await ask('orders-db-replica', 'select pg_is_in_recovery()')).toBe(false)
    heard.length = 0
    await tell('mend', 'promote')
    expect(heard).toEqual(['production: ending what was the replica', 'production: copying the primary, and starting the copy as its replica'])
    expect(await ask('orders-db-replica', 'select pg_is_in_recovery()')).toBe(true)
  })

  test('reset mends everything, and brings back the first repositories and orders', async () => {
    await tell('break', 'ingress', 'staging')
    if (hasPostgres) {
      await ask('orders-db-app', 'delete from orders')
      await tell('break', 'primary')
      await tell('break', 'replica')
    }
    rmSync(join(playground.repositories['orders'] ?? '', 'HEAD'))
    const rows = await control({ do: 'reset' })
    expect(rows.every(({ state }) => state === 'whole' || !hasPostgres)).toBe(true)
    expect(heard.at(-1)).toMatch(/^making the repositories .*anew$/)
    expect(readFileSync(join(playground.repositories['orders'] ?? '', 'HEAD'), 'utf8')).toContain('refs/heads/main')
    if (hasPostgres) expect(Number(await ask('orders-db', 'select count(*) from orders'))).toBe(1000)
  })

  test.each([
    ['nonsense', 'production', /Nothing that can be broken is called/],
    ['node', 'staging', /the playground itself/],
    ['replication', 'sandbox', /not a thing of sandbox/],
    ['ingress', 'nowhere', /not a thing of nowhere/],
    ['toString', 'production', /Nothing that can be broken/],
  ])('%s in %s is refused with its reason', async (what, environment, message) => {
    await expect(tell('break', what, environment)).rejects.toMatchObject({ code: 'breakage-unknown', subject: what, message: expect.stringMatching(message) })
  })

  test.each([
    ['no JSON', 'break everything\n'],
    ['another verb', '{"do":"destroy"}\n'],
    ['no name', '{"do":"break","what":7}\n'],
    ['a line without an end', 'x'.repeat(10_000)],
  ])('%s is answered with an error', async (_, line) => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(controlSocketOf(dir), () => socket.write(line))
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      socket.on('error', reject).on('end', () => resolve(text))
    })
    expect(JSON.parse(answer)).toMatchObject({ error: { code: 'breakage-unknown' } })
  })

  test('where no playground runs, it is said', async () => {
    await expect(askPlayground(tmpdir(), { do: 'list' })).rejects.toMatchObject({ code: 'playground-not-running', subject: tmpdir() })
  })
})

test('a folder with a long path has its socket elsewhere', () => {
  expect(controlSocketOf('/short')).toBe('/short/control.sock')
  expect(controlSocketOf(`/${'long/'.repeat(40)}`)).toMatch(/^\/tmp\/plumb-[0-9a-f]{16}\.sock$/)
})

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await what().catch(() => false)); ) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
