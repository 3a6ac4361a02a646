import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { keyOf, type ControllerContext } from '#playground/controllers/controller.ts'
import { ingresses, type Ingress, type IngressBackend } from '#playground/controllers/kinds.ts'
import { Failure } from '#lib/failure.ts'
import type { Addresses } from './addresses.ts'
import { Balancer } from './backends.ts'
import { Routes, type Route } from './ingress-routes.ts'

export type IngressController = {
  readonly port: number
  readonly isOpen: boolean
  /** Listens no longer, and breaks off what is under way: connections are refused. */
  close(): Promise<void>
  /** Listens again, at the same port. */
  open(): Promise<void>
  stop(): Promise<void>
}

const upstreamTimeoutMs = 60_000
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/**
 * One HTTP entrance for a cluster, on 127.0.0.1: by Host and path to the pods of a Service. 404 where no rule fits, 503 where no pod is ready,
 * 502 where a pod breaks off, 504 where it does not answer. No TLS and no upgrades (web sockets). Failure: `playground-ingress-port`.
 */
export async function startIngress(context: ControllerContext, addresses: Addresses, wantedPort: number): Promise<IngressController> {
  const balancer = new Balancer(context.objects)
  // A connection a request: one that was kept could belong to a pod that is just leaving.
  const agent = new Agent({ keepAlive: false })
  let routes = Routes.of([])
  const server = createServer((incoming, response) => {
    const url = incoming.url ?? '/'
    const route = routes.find(incoming.headers.host ?? '', url)
    if (route === undefined) return answer(response, 404, 'no Ingress rule for this host and path')
    void pass(incoming, response, route, balancer, addresses, agent)
  })
  const port = await listen(server, wantedPort)
  const end = context.objects.watch(ingresses, ({ type, object }) => {
    routes = Routes.of(context.objects.list(ingresses))
    if (type !== 'DELETED') setImmediate(() => show(context, object, port))
  })
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    port,
    get isOpen() {
      return server.listening
    },
    close,
    open: async () => {
      if (!server.listening) await listen(server, port)
    },
    stop: async () => {
      end()
      agent.destroy()
      await close()
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'The port is written in Git, in the environments’ addresses: stop what listens there, or start the playground in another folder.'
      reject(new Failure({ code: 'playground-ingress-port', subject: `127.0.0.1:${port}`, message: cause.message, hint, retry: 'later', cause }))
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}

async function pass(
  incoming: IncomingMessage,
  response: ServerResponse,
  { namespace, backend }: Route,
  balancer: Balancer,
  addresses: Addresses,
  agent: Agent,
): Promise<void> {
  const to = endpointOf(namespace, backend, balancer)
  if (to === undefined) return answer(response, 503, 'no pod of this service is ready')
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !hopByHop.has(name)))
  const forwarded = { ...headers, 'x-forwarded-for': incoming.socket.remoteAddress ?? '', 'x-forwarded-host': incoming.headers.host ?? '', 'x-forwarded-proto': 'http' }
  const { host, port } = await addresses.reach(to.ip, to.port)
  const upstream = request({ host, port, method: incoming.method, path: incoming.url, headers: forwarded, agent, timeout: upstreamTimeoutMs }, (from) => {
    const kept = Object.entries(from.headers).filter(([name]) => !hopByHop.has(name))
    response.writeHead(from.statusCode ?? 502, Object.fromEntries(kept))
    from.pipe(response)
    from.on('error', () => response.destroy())
  })
  upstream.on('timeout', () => {
    if (!response.headersSent) answer(response, 504, 'the pod did not answer in time')
    upstream.destroy()
  })
  upstream.on('error', () => {
    if (response.headersSent) response.destroy()
    else answer(response, 502, 'the pod broke off the connection')
  })
  response.on('close', () => {
    if (!response.writableFinished) upstream.destroy()
  })
  incoming.on('error', () => upstream.destroy())
  incoming.pipe(upstream)
}

function endpointOf(namespace: string, { service }: IngressBackend, balancer: Balancer): ReturnType<Balancer['next']> {
  return service === undefined ? undefined : balancer.next(keyOf({ namespace, name: service.name }), service.port)
}

function show({ objects, log }: ControllerContext, ingress: Ingress, port: number): void {
  try {
    objects.edit(ingresses, ingress.metadata, 'status', 'playground-ingress', (object) => {
      object.status = { ...object.status, loadBalancer: { ingress: [{ ip: '127.0.0.1', ports: [{ port, protocol: 'TCP' }] }] } }
    })
  } catch (error) {
    log(`ingress ${keyOf(ingress.metadata)}: ${String(error)}`)
  }
}
