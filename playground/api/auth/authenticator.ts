import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { User } from '../request.ts'
import type { Tokens } from '../tokens.ts'
import { issuer, type Reading, type ServiceAccountTokens } from './service-account-tokens.ts'

/** Who stands behind a request's credentials: a client certificate, else a bearer token. */
export class Authenticator {
  readonly #tokens: Tokens
  readonly #accounts: ServiceAccountTokens
  /** A connection's certificate never changes. */
  readonly #connections = new WeakMap<object, User | undefined>()

  constructor(tokens: Tokens, accounts: ServiceAccountTokens) {
    this.#tokens = tokens
    this.#accounts = accounts
  }

  /** `undefined`: nobody that is known here. `connection` is what lives as long as its TLS session. */
  authenticate(headers: IncomingHttpHeaders, connection: object, socket: () => TLSSocket | undefined): User | undefined {
    if (!this.#connections.has(connection)) this.#connections.set(connection, certified(socket()))
    const user = this.#connections.get(connection)
    if (user !== undefined) return user
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const reading = this.review(token, [issuer])
    return reading !== undefined && 'user' in reading ? reading.user : undefined
  }

  /** What a token stands for; `undefined` where it is nothing that is known here. */
  review(token: string, audiences: readonly string[]): Reading | undefined {
    const user = this.#tokens.userOf(token)
    if (user === undefined) return this.#accounts.read(token, audiences.length > 0 ? audiences : [issuer])
    return { user, audiences: audiences.includes(issuer) || audiences.length === 0 ? [issuer] : [] }
  }
}

/** The user of a certificate that our authority signed: its common name, of the groups that are its organisations. */
function certified(socket: TLSSocket | undefined): User | undefined {
  if (socket?.authorized !== true) return undefined
  const subject = socket.getPeerCertificate()?.subject as { CN?: string | string[]; O?: string | string[] } | undefined
  const name = typeof subject?.CN === 'string' ? subject.CN : ''
  if (name === '') return undefined
  const organisations = subject?.O === undefined ? [] : [subject.O].flat()
  return { name, groups: [...organisations, 'system:authenticated'] }
}
