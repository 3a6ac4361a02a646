import { createServer, request, type Server } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endpointSlices, ingresses, services } from '#playground/controllers/kinds.ts'
import { World } from '#playground/controllers/world.ts'
import { claimAddresses, type Addresses } from './addresses.ts'
import { startIngress, type IngressController } from './ingress.ts'

let world: World
let addresses: Addresses
let ingress: IngressController
let pod: Server
let podIp: string
let port: number

beforeEach(async () => {
  world = new World()
  addresses = await claimAddresses()
  ingress = await startIngress(world.context, addresses, 0)
  podIp = addresses.claimPodIp()
  pod = createServer((incoming, response) => {
    if (incoming.url === '/break') return void incoming.socket.destroy()
    let body = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    incoming.on('end', () => {
      response.writeHead(201, { 'x-pod': 'yes', 'set-cookie': ['a=1', 'b=2'] })
      response.end(JSON.stringify({ url: incoming.url, method: incoming.method, body, host: incoming.headers.host, forwarded: incoming.headers['x-forwarded-host'] }))
    })
  })
  port = await new Promise<number>((resolve) => {
    pod.listen({ host: podIp, port: 0 }, () => resolve((pod.address() as { port: number }).port))
  })
  const backend = { service: { name: 'web', port: { name: 'http' } } }
  const rules = [{ host: 'shop.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
  world.objects.create(ingresses, { metadata: { name: 'web', namespace: 'shop' }, spec: { rules } }, 'test')
  world.objects.create(services, { metadata: { name: 'web', namespace: 'shop' }, spec: { ports: [{ name: 'http', port: 80 }] } }, 'test')
  await world.settle()
})
afterEach(async () => {
  await ingress.stop()
  pod.closeAllConnections()
  pod.close()
  await addresses.close()
})

const ready = (): unknown =>
  world.objects.create(
    endpointSlices,
    {
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      endpoints: [{ addresses: [podIp], conditions: { ready: true, serving: true, terminating: false } }],
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    },
    'test',
  )
const ask = (path: string, options: { host?: string; method?: string; body?: string } = {}): Promise<{ status: number; headers: Record<string, unknown>; body: string }> =>
  new Promise((resolve, reject) => {
    const { host = 'shop.example', method = 'GET', body: sent } = options
    const asked = request({ host: '127.0.0.1', port: ingress.port, path, method, headers: { host }, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asked.on('error', reject)
    asked.end(sent)
  })

test('passes a request on, and its answer back, as they are', async () => {
  ready()
  const { status, headers, body } = await ask('/a?b=c', { method: 'POST', body: 'hello', host: 'shop.example:8080' })
  expect(status).toBe(201)
  expect(headers).toMatchObject({ 'x-pod': 'yes', 'set-cookie': ['a=1', 'b=2'] })
  expect(JSON.parse(body)).toEqual({ url: '/a?b=c', method: 'POST', body: 'hello', host: 'shop.example:8080', forwarded: 'shop.example:8080' })
})

test('says 404 without a rule, 503 without a ready pod, 502 when the pod breaks off', async () => {
  expect((await ask('/', { host: 'other.example' })).status).toBe(404)
  expect((await ask('/')).status).toBe(503)
  ready()
  expect((await ask('/')).status).toBe(201)
  expect((await ask('/break')).status).toBe(502)
})

test('shows its address in the status of every Ingress', () => {
  expect(world.objects.get(ingresses, 'shop', 'web')?.status?.loadBalancer).toEqual({ ingress: [{ ip: '127.0.0.1', ports: [{ port: ingress.port, protocol: 'TCP' }] }] })
})

test('a port that is taken is told', async () => {
  await expect(startIngress(world.context, addresses, ingress.port)).rejects.toMatchObject({ code: 'playground-ingress-port' })
})
