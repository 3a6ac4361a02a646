import { connect, createServer, type Server, type Socket } from 'node:net'
import { manager, keyOf, type ControllerContext } from '#playground/controllers/controller.ts'
import { services, type Service } from '#playground/controllers/kinds.ts'
import { recordEvent } from '#playground/controllers/record-event.ts'
import type { Addresses } from './addresses.ts'
import { Balancer } from './backends.ts'

type Listener = { readonly server: Server; readonly sockets: Set<Socket> }

/**
 * What kube-proxy does, with real listeners: every TCP port of every cluster IP, and its node port on the node's address, takes connections and passes them
 * on to ready pods, in turn. With no ready pod a connection is reset. UDP and SCTP are not carried.
 */
export function startServiceProxy(context: ControllerContext, addresses: Addresses): () => Promise<void> {
  const balancer = new Balancer(context.objects)
  const listeners = new Map<string, Listener>()
  let turn: Promise<void> = Promise.resolve()
  const end = context.objects.watch(services, ({ type, object }) => {
    // One after the other: an address that one Service gives up may be the next one's.
    turn = turn.then(() => follow(context, addresses, balancer, listeners, type === 'DELETED' ? undefined : object, keyOf(object.metadata)))
  })
  return async () => {
    end()
    await turn
    await Promise.all([...listeners.values()].map(close))
  }
}

async function follow(
  context: ControllerContext,
  addresses: Addresses,
  balancer: Balancer,
  listeners: Map<string, Listener>,
  service: Service | undefined,
  key: string,
): Promise<void> {
  const ip = service?.spec.clusterIP
  const wanted = new Map<string, { readonly at: string; readonly listen: number; readonly port: number }>()
  if (service !== undefined && ip !== undefined && ip !== '' && ip !== 'None' && service.spec.type !== 'ExternalName') {
    for (const { port, nodePort, protocol = 'TCP' } of service.spec.ports ?? []) {
      if (protocol !== 'TCP') continue
      wanted.set(`${key} ${ip}:${port}`, { at: ip, listen: port, port })
      if (nodePort !== undefined) wanted.set(`${key} ${addresses.nodeIp}:${nodePort} ${port}`, { at: addresses.nodeIp, listen: nodePort, port })
    }
    if (service.spec.type === 'LoadBalancer') showLoadBalancer(context, service, ip)
  }
  for (const [id, listener] of listeners) {
    if (!id.startsWith(`${key} `) || wanted.has(id)) continue
    listeners.delete(id)
    await close(listener)
  }
  for (const [id, { at, listen, port }] of wanted) {
    if (listeners.has(id) || service === undefined) continue
    const { host, port: real } = await addresses.reach(at, listen)
    const opened = await open(host, real, (socket, sockets) => void pass(socket, sockets, balancer, addresses, key, port))
    if ('server' in opened) listeners.set(id, opened)
    else tell(context, service, `${listen} of ${at}`, opened.message)
  }
}

function open(host: string, port: number, pass: (socket: Socket, sockets: Set<Socket>) => void): Promise<Listener | { message: string }> {
  return new Promise((resolve) => {
    const sockets = new Set<Socket>()
    const server = createServer({ pauseOnConnect: true }, (socket) => pass(socket, sockets))
    server.once('error', ({ message }) => resolve({ message }))
    server.listen({ host, port, exclusive: true }, () => resolve({ server, sockets }))
  })
}

function close({ server, sockets }: Listener): Promise<void> {
  for (const socket of sockets) socket.destroy()
  return new Promise((resolve) => server.close(() => resolve()))
}

async function pass(socket: Socket, sockets: Set<Socket>, balancer: Balancer, addresses: Addresses, key: string, port: number): Promise<void> {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  const backend = balancer.next(key, { number: port })
  if (backend === undefined) return void socket.resetAndDestroy()
  const upstream = connect(await addresses.reach(backend.ip, backend.port))
  upstream.on('error', () => socket.resetAndDestroy())
  socket.on('close', () => upstream.destroy())
  upstream.on('close', () => socket.destroySoon())
  socket.pipe(upstream).pipe(socket)
}

function tell(context: ControllerContext, about: Service, port: string, message: string): void {
  const text = `Port ${port} could not be opened on this machine: ${message}`
  recordEvent(context, { about, type: 'Warning', reason: 'PortNotOpened', message: text, component: 'kube-proxy' })
}

function showLoadBalancer({ objects }: ControllerContext, service: Service, ip: string): void {
  objects.edit(services, service.metadata, 'status', manager, (object) => {
    object.status = { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } }
  })
}
