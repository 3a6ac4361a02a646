import { createServer, type AddressInfo } from 'node:net'
import type { Address } from './ask.ts'

const postgresPort = 5432

/**
 * Where a server may listen: this address with PostgreSQL's own port, or any other port where that one is taken (by a server that listens on all
 * addresses); where the address cannot be bound (macOS), a port of 127.0.0.1.
 */
export async function addressFor(host: string): Promise<Address> {
  for (const [place, port] of [[host, postgresPort], [host, 0], ['127.0.0.1', 0]] as const) {
    const taken = await tryBind(place, port)
    if (taken !== undefined) return { host: place, port: taken }
  }
  throw new Error(`no port of ${host} or 127.0.0.1 can be bound`)
}

function tryBind(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo
      server.close(() => resolve(bound))
    })
  })
}
