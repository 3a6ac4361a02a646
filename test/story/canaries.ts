import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'

/** Secrets that are known when they are met again. */
export const canaries = {
  module: 'canary-module-3f"9/<x>&\u00e9+',
  git: 'canary-git-71-aa',
  database: 'canary/db!pw-55',
  plain: 'canary-plain-88-cc',
  cluster: '',
} satisfies Record<string, string>

/** Every form in which one may leak: as it is, in Base64, in a URL, in JSON. */
export function formsOf(canary: string): string[] {
  const base64 = Buffer.from(canary).toString('base64').replaceAll('=', '').slice(0, -1)
  return [canary, base64, base64.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(canary), JSON.stringify(canary).slice(1, -1)]
}

/** What a careless system says of a request that it does not like: all that was sent to it, in every way. */
export function careless(...said: readonly string[]): string {
  return said.flatMap((one) => [one, JSON.stringify(one), encodeURIComponent(one), Buffer.from(`user:${one}`).toString('base64')]).join(' ')
}

type Careless = { readonly port: number; readonly stop: () => Promise<void> }

async function listening(server: Server): Promise<Careless> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, stop: () => new Promise((resolve) => void server.close(() => resolve())) }
}

/** An application that repeats its own password in its answers. */
export function carelessApplication(): Promise<Careless> {
  return listening(
    createServer((_, answer) => {
      const said = careless(canaries.module)
      answer.writeHead(200, { 'x-debug': encodeURIComponent(canaries.module) }).end(JSON.stringify({ plain: canaries.module, said, list: [canaries.module] }))
    }),
  )
}

/** A forge without manners: the "dumb" protocol over bare repositories, and what is not welcome is repeated. `welcome` is asked at each request. */
export function carelessForge(folder: string, welcome: () => boolean): Promise<Careless> {
  const packet = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
  return listening(
    createServer((request, answer) => {
      const sent = request.headers.authorization ?? ''
      const path = join(folder, (request.url ?? '/').split('?')[0] ?? '')
      if (!sent.startsWith('Basic ')) answer.writeHead(401).end()
      else if (!welcome()) {
        const refusal = `${packet('# service=git-upload-pack\n')}0000${packet(`ERR you sent ${sent}, that is ${Buffer.from(sent.slice(6), 'base64').toString()}`)}`
        answer.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(refusal)
      } else if (existsSync(path)) answer.end(readFileSync(path))
      else answer.writeHead(404).end()
    }),
  )
}

/** A database that tells whoever comes with which password they came: an ErrorResponse of the frontend protocol. */
export function carelessDatabase(): Promise<Careless> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        if (data.length === 8) return void socket.write('N') // SSLRequest
        const fields = Buffer.from(`SFATAL\0C53300\0Mno room for probe with ${canaries.database} (${encodeURIComponent(canaries.database)})\0\0`)
        const head = Buffer.alloc(5)
        head.write('E')
        head.writeInt32BE(fields.length + 4, 1)
        socket.end(Buffer.concat([head, fields]))
      })
    }),
  )
}
