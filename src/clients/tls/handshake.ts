import { checkServerIdentity, connect } from 'node:tls'
import type { ConnectionOptions, DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import { socketFailure, tlsWords } from '#clients/socket-failure.ts'
import { until } from '#lib/until.ts'

export type TlsQuestion = {
  readonly host: string
  readonly port: number
  /** Where to connect to: nothing else is resolved. */
  readonly addresses: readonly string[]
  /** The name that is asked for (server name indication); none for an IP address. */
  readonly name: string
  /** Certificates of authorities, PEM, that are trusted beside none other; the system's, if left out. */
  readonly ca?: string
  readonly connected?: () => void
}

export type Certificate = {
  /** Whose it is: its common name, or the first of its names. */
  readonly of: string
  /** Milliseconds since 1970. */
  readonly ends: number
}

export type TlsAnswer = {
  /** Why the chain does not hold; undefined where it does. Names are another matter. */
  readonly problem: string | undefined
  /** The server's own first, then those that signed it, as far as they were sent or are trusted. */
  readonly chain: readonly Certificate[]
  /** The names that the server's certificate is for, as it has them. */
  readonly names: readonly string[]
  /** Whether the server's certificate is for a name, or an IP address. */
  readonly isFor: (name: string) => boolean
}

/** Shakes hands, looks at the certificates, and closes: nothing is said. Failures: those of `socketFailure`; or the signal's reason. */
export async function tlsHandshake(question: TlsQuestion, signal: AbortSignal): Promise<TlsAnswer> {
  signal.throwIfAborted()
  const { host, port, name, ca } = question
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const options: ConnectionOptions & { autoSelectFamily: boolean } = {
    host,
    port,
    lookup: fixedLookup(question.addresses),
    autoSelectFamily: true,
    // What does not hold is to be seen, not refused: nothing is sent on this connection.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(isAddress(name) ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca }),
  }
  const socket = connect(options)
  socket.once('connect', () => question.connected?.())
  socket.once('secureConnect', () => resolve(socket))
  socket.on('error', reject)
  socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  try {
    return answerOf(await until(promise, signal))
  } catch (error) {
    signal.throwIfAborted()
    throw socketFailure(error, `${host.includes(':') ? `[${host}]` : host}:${port}`)
  } finally {
    socket.destroy()
  }
}

function answerOf(socket: TLSSocket): TlsAnswer {
  const leaf = socket.getPeerCertificate(true)
  const names = (leaf.subjectaltname ?? '').split(', ').flatMap((one) => /^(?:DNS|IP Address):(.+)$/.exec(one)?.[1] ?? [])
  return {
    problem: socket.authorized ? undefined : tlsWords(codeOf(socket.authorizationError)),
    chain: chainFrom(leaf),
    names,
    isFor: (name) => checkServerIdentity(name, leaf) === undefined,
  }
}

/** Node gives the code itself as the "error". */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** Up to one that signed itself, or that nobody knows who signed. */
function chainFrom(leaf: DetailedPeerCertificate): Certificate[] {
  const chain: Certificate[] = []
  const seen = new Set<string>()
  for (let one: DetailedPeerCertificate | undefined = leaf; one !== undefined && typeof one.fingerprint256 === 'string' && !seen.has(one.fingerprint256); one = one.issuerCertificate) {
    seen.add(one.fingerprint256)
    const common = [one.subject?.CN].flat()[0]
    chain.push({ of: common ?? one.subjectaltname?.split(', ')[0]?.replace(/^DNS:/, '') ?? 'nobody', ends: Date.parse(one.valid_to) })
  }
  return chain
}

function isAddress(name: string): boolean {
  return /^[\d.]+$|:/.test(name)
}
