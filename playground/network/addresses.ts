import { createServer, type Server } from 'node:net'
import { randomInt } from 'node:crypto'
import { Failure } from '#lib/failure.ts'

/** Where to really connect to, or listen at, for an address of the cluster. */
type Reach = { readonly host: string; readonly port: number }

/**
 * The addresses of one cluster: 127.a.b.0/24 for pods and 127.a.(b+1).0/24 for Services, b even. Linux lets a process bind any address
 * of 127.0.0.0/8; where only 127.0.0.1 can be bound (macOS), the addresses are names alone, and `reach` gives each a free port of 127.0.0.1.
 */
export type Addresses = {
  /** `127.a.b`: kept, so that Services have the same addresses after a restart. */
  readonly block: string
  readonly mode: 'loopback-block' | 'one-address'
  readonly nodeIp: string
  claimPodIp(): string
  releasePodIp(ip: string): void
  /** A free address for a Service; `taken` are those of the Services that are there. */
  nextServiceIp(taken: ReadonlySet<string>): string
  reach(ip: string, port: number): Promise<Reach>
  close(): Promise<void>
}

const guardPort = 10250 // a kubelet's: holding it on the block's first address keeps other playgrounds away
const attempts = 50

/** Takes the block that is wanted, if it is free, or any other. `bind` is how an address is tried. Failure: `playground-addresses`. */
export async function claimAddresses(wanted?: string, bind: Bind = listen): Promise<Addresses> {
  let block = wanted ?? randomBlock()
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const guard = await bind(`${block}.1`, guardPort)
    if ('server' in guard) return new Block(block, 'loopback-block', guard.server)
    if (guard.code === 'EADDRNOTAVAIL') return new Block(block, 'one-address', undefined)
    block = randomBlock()
  }
  throw new Failure({
    code: 'playground-addresses',
    subject: '127.0.0.0/8',
    message: `No free block of loopback addresses was found in ${attempts} attempts`,
    hint: 'Stop other playgrounds on this machine, or look for what listens on port 10250 of all addresses.',
    retry: 'later',
  })
}

const randomBlock = (): string => `127.${randomInt(16, 240)}.${randomInt(0, 127) * 2}`

export type Bind = (host: string, port: number) => Promise<{ server: Server } | { code: string }>

function listen(host: string, port: number): ReturnType<Bind> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? 'unknown' }))
    server.listen({ host, port, exclusive: true }, () => {
      server.unref()
      resolve({ server })
    })
  })
}

class Block implements Addresses {
  readonly block: string
  readonly mode: 'loopback-block' | 'one-address'
  readonly nodeIp: string
  readonly #guard: Server | undefined
  readonly #services: string
  readonly #used = new Set<string>()
  readonly #ports = new Map<string, Promise<number>>()
  #last = 1

  constructor(block: string, mode: 'loopback-block' | 'one-address', guard: Server | undefined) {
    const [a, b, c] = block.split('.')
    this.block = block
    this.mode = mode
    this.nodeIp = mode === 'one-address' ? '127.0.0.1' : `${block}.1`
    this.#guard = guard
    this.#services = `${a}.${b}.${Number(c) + 1}`
  }

  claimPodIp(): string {
    // Round and round, so that the address of a pod that has just gone is not another's at once.
    for (let step = 0; step < 253; step += 1) {
      this.#last = this.#last >= 254 ? 2 : this.#last + 1
      const ip = `${this.block}.${this.#last}`
      if (this.#used.has(ip)) continue
      this.#used.add(ip)
      return ip
    }
    throw new Failure({ code: 'playground-addresses', subject: `${this.block}.0/24`, message: 'All 253 pod addresses are in use', retry: 'later' })
  }

  releasePodIp(ip: string): void {
    this.#used.delete(ip)
    for (const key of this.#ports.keys()) if (key.startsWith(`${ip}:`)) this.#ports.delete(key)
  }

  nextServiceIp(taken: ReadonlySet<string>): string {
    for (let last = 2; last <= 254; last += 1) {
      const ip = `${this.#services}.${last}`
      if (!taken.has(ip)) return ip
    }
    throw new Failure({ code: 'playground-addresses', subject: `${this.#services}.0/24`, message: 'All 253 Service addresses are in use', retry: 'later' })
  }

  async reach(ip: string, port: number): Promise<Reach> {
    if (this.mode === 'loopback-block') return { host: ip, port }
    const key = `${ip}:${port}`
    const known = this.#ports.get(key)
    if (known !== undefined) return { host: '127.0.0.1', port: await known }
    const chosen = freePort()
    this.#ports.set(key, chosen)
    return { host: '127.0.0.1', port: await chosen }
  }

  close(): Promise<void> {
    const guard = this.#guard
    return new Promise((resolve) => (guard === undefined ? resolve() : guard.close(() => resolve())))
  }
}

/**
 * A port of 127.0.0.1 for something that is to have it again after every restart: below those that systems give to whoever asks for any port (32768 and
 * up on Linux), else a stranger has it by then.
 */
export async function keptPort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(20_000, 32_000)
    const probe = await listen('127.0.0.1', port)
    if ('code' in probe) continue
    await new Promise((resolve) => probe.server.close(resolve))
    return port
  }
  return freePort()
}

/** A port of 127.0.0.1 that nobody listens on now. */
async function freePort(): Promise<number> {
  const probe = await listen('127.0.0.1', 0)
  if ('code' in probe) throw new Failure({ code: 'playground-addresses', subject: '127.0.0.1', message: `No port is free: ${probe.code}`, retry: 'later' })
  const address = probe.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => probe.server.close(resolve))
  return port
}
