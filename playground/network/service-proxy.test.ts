import { setImmediate as turn } from 'node:timers/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endpointSlices, events, services } from '#playground/controllers/kinds.ts'
import { World } from '#playground/controllers/world.ts'
import { claimAddresses, type Addresses } from './addresses.ts'
import { startServiceProxy } from './service-proxy.ts'

let world: World
let addresses: Addresses
let stop: () => Promise<void>
const servers: Server[] = []

beforeEach(async () => {
  world = new World()
  addresses = await claimAddresses()
  stop = startServiceProxy(world.context, addresses)
})
afterEach(async () => {
  await stop()
  for (const server of servers.splice(0)) server.close()
  await addresses.close()
})

/** A listener that says its name and hangs up. */
const listen = (host: string, port: number, name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end(name))
    servers.push(server)
    server.once('error', reject)
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port))
  })
const ask = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect({ host, port })
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('end', () => resolve(text))
  })
const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
  const end = Date.now() + 5_000
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`not within 5 s: ${what.toString()}`)
    await turn()
  }
}
const service = (clusterIP: string, port: number, nodePort?: number): unknown =>
  world.objects.create(services, { metadata: { name: 'web', namespace: 'shop' }, spec: { clusterIP, ports: [{ name: 'http', port, ...(nodePort === undefined ? {} : { nodePort }) }] } }, 'test')
const slice = (port: number, ready: Record<string, boolean>): unknown => {
  const list = Object.entries(ready).map(([ip, isReady]) => ({ addresses: [ip], conditions: { ready: isReady, serving: isReady, terminating: false } }))
  const metadata = { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } }
  return world.objects.create(endpointSlices, { metadata, addressType: 'IPv4', endpoints: list, ports: [{ name: 'http', port, protocol: 'TCP' }] }, 'test')
}

test('a Service passes connections on to its ready pods in turn', async () => {
  const [a, b, c] = [addresses.claimPodIp(), addresses.claimPodIp(), addresses.claimPodIp()]
  const port = await listen(a, 0, 'a')
  await listen(b, port, 'b')
  const ip = addresses.nextServiceIp(new Set())
  slice(port, { [a]: true, [b]: true, [c]: false })
  service(ip, port)
  await until(async () => (await ask(ip, port)) !== 'ECONNREFUSED')
  const answers = [await ask(ip, port), await ask(ip, port), await ask(ip, port), await ask(ip, port)]
  expect(answers.sort()).toEqual(['a', 'a', 'b', 'b'])
})

test('a node port is the Service’s port at the node’s own address', async () => {
  const pod = addresses.claimPodIp()
  const port = await listen(pod, 0, 'pod')
  slice(port, { [pod]: true })
  service(addresses.nextServiceIp(new Set()), port, 30_080)
  await until(async () => (await ask(addresses.nodeIp, 30_080)) === 'pod')
  world.objects.edit(services, { namespace: 'shop', name: 'web' }, 'object', 'test', ({ spec }) => void delete spec.ports?.[0]?.nodePort)
  await until(async () => (await ask(addresses.nodeIp, 30_080)) !== 'pod')
  expect(await ask(addresses.nodeIp, 30_080)).toBe('ECONNREFUSED')
})

test('without a ready pod a connection is reset, and a deleted Service listens no more', async () => {
  const ip = addresses.nextServiceIp(new Set())
  service(ip, 8080)
  await until(async () => (await ask(ip, 8080)) === 'ECONNRESET')
  world.objects.delete(services, { namespace: 'shop', name: 'web' })
  await until(async () => (await ask(ip, 8080)) !== 'ECONNRESET')
  expect(await ask(ip, 8080)).toBe('ECONNREFUSED')
})

test('a port that cannot be opened is told in an Event of the Service', async () => {
  const ip = addresses.nextServiceIp(new Set())
  await listen(ip, 8080, 'somebody else')
  service(ip, 8080)
  await until(() => world.objects.list(events, 'shop').length > 0)
  const [event] = world.objects.list(events, 'shop')
  expect(event).toMatchObject({ type: 'Warning', reason: 'PortNotOpened', involvedObject: { kind: 'Service', name: 'web' } })
  expect(event?.['message']).toContain('EADDRINUSE')
})
