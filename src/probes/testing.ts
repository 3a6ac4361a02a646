import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { resolveHost } from '#clients/dns/resolve-host.ts'
import { Failure } from '#lib/failure.ts'
import type { Reach } from './probe.ts'

/** The reach of an environment with these addresses, for tests. */
export function reachTo(addresses: Readonly<Record<string, string>>): Reach {
  return {
    address: (name) => {
      const address = addresses[name]
      if (address !== undefined) return address
      throw new Failure({ code: 'probe-out-of-reach', subject: name, message: `probes may not reach ${name}` })
    },
    addresses: () => Object.values(addresses),
    resolve: resolveHost,
  }
}

/** A TCP server on the loopback that does with each connection what a test says. */
export async function startTcp(connected: (socket: Socket) => void): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    connected(socket)
  })
  const port = await listen(server)
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const { port, stop } = await startTcp(() => {})
  await stop()
  return port
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
