import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endpointSlices, ingresses, services } from '#playground/controllers/kinds.ts'
import { World } from '#playground/controllers/world.ts'
import { type NameServer, startNameServer } from './name-server.ts'

const world = new World()
let names: NameServer
const resolver = new Resolver({ timeout: 2_000, tries: 1 })
const none = expect.objectContaining({ code: 'ENOTFOUND' })

beforeAll(async () => {
  const port = await freePort()
  names = await startNameServer(world.context, port)
  resolver.setServers([names.address])
  const service = (name: string, spec: object): unknown => world.objects.create(services, { metadata: { name, namespace: 'shop' }, spec }, 'test')
  service('web', { clusterIP: '127.20.1.2', ports: [{ name: 'http', port: 8080 }] })
  service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
  service('outside', { type: 'ExternalName', externalName: 'db.other.example' })
  const endpoint = (name: string, ip: string, ready = true): object => ({ addresses: [ip], conditions: { ready, serving: ready, terminating: false }, targetRef: { kind: 'Pod', namespace: 'shop', name, uid: name } })
  const endpoints = [endpoint('db-0', '127.20.0.2'), endpoint('db-1', '127.20.0.3'), endpoint('db-2', '127.20.0.4', false)]
  world.objects.create(endpointSlices, { metadata: { name: 'db-x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } }, addressType: 'IPv4', endpoints, ports: [] }, 'test')
  world.objects.create(ingresses, { metadata: { name: 'web', namespace: 'shop' }, spec: { rules: [{ host: 'Shop.example' }, { host: '*.tenants.example' }] } }, 'test')
})
afterAll(async () => {
  await names.stop()
  world.stop()
})

describe('the name server of a cluster', () => {
  test.each([
    ['web.shop.svc.cluster.local', ['127.20.1.2']],
    ['db.shop.svc.cluster.local', ['127.20.0.2', '127.20.0.3']],
    ['db-1.db.shop.svc.cluster.local', ['127.20.0.3']],
    ['127-20-0-2.db.shop.svc.cluster.local', ['127.20.0.2']],
    ['shop.example', ['127.0.0.1']],
    ['any.tenants.example', ['127.0.0.1']],
  ])('knows %s', async (name, addresses) => {
    expect(await resolver.resolve4(name)).toEqual(addresses)
  })

  test('knows the ports of Services, and those that are elsewhere', async () => {
    expect(await resolver.resolveSrv('_http._tcp.web.shop.svc.cluster.local')).toMatchObject([{ name: 'web.shop.svc.cluster.local', port: 8080 }])
    expect(await resolver.resolveCname('outside.shop.svc.cluster.local')).toEqual(['db.other.example'])
  })

  test.each(['gone.shop.svc.cluster.local', 'db-2.db.shop.svc.cluster.local', 'web.elsewhere.svc.cluster.local', 'web.web.shop.svc.cluster.local', 'nothing.cluster.local', 'other.example'])('knows that there is no %s', async (name) => {
    await expect(resolver.resolve4(name)).rejects.toEqual(none)
  })

  test('has nothing of another type, and refuses names of others', async () => {
    await expect(resolver.resolve6('web.shop.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' })
    await expect(resolver.resolve4('www.somewhere.test')).rejects.toMatchObject({ code: 'EREFUSED' })
  })

  test('is asked in vain while it is closed, and not brought down by nonsense', async () => {
    await names.close()
    expect(names.isOpen).toBe(false)
    await expect(resolver.resolve4('shop.example')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await names.open()
    const socket = createSocket('udp4')
    const [host = '', port] = names.address.split(':')
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(500, 0xff), Buffer.alloc(17)]) await new Promise((resolve) => socket.send(bytes, Number(port), host, resolve))
    socket.close()
    expect(await resolver.resolve4('shop.example')).toEqual(['127.0.0.1'])
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}
