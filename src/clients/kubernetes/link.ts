import type { Clock } from '#lib/clock.ts'
import { connect } from './connect.ts'
import type { SignIn } from './sign-in.ts'
import { LostConnection, type Answer, type Connection, type Outgoing } from './transport.ts'

/** How long one sign-in is used. An `exec` plugin is asked again by then, or by a 401 before it. */
const signInMs = 30_000
/** Shorter than the time over which a read is tried again, so that one of its tries is a true one. */
const longestBackoffMs = 1_000

/** The connection to a server, made when it is needed, and made again, with back-off, when it was lost. */
export class Link {
  readonly server: string
  readonly #prefix: string
  readonly #signIn: SignIn
  readonly #clock: Clock
  readonly #closed = new AbortController()
  /** Those that take new requests, as long as they are usable: a second one is made when the first has no stream left (every watch holds one). */
  #pool: Connection[] = []
  /** Those that only finish what they have begun, with an older sign-in. */
  #retired: Connection[] = []
  #connecting: Promise<Connection> | undefined
  #signIns = 0
  #identity: { readonly until: number; readonly headers: Promise<Readonly<Record<string, string>>> } | undefined
  /** Since the last connection that was made: how often none could be, when the next may be tried, and why the last was not. */
  #trouble: { readonly failures: number; readonly until: number; readonly why: unknown } | undefined

  constructor(server: URL, signIn: SignIn, clock: Clock) {
    this.server = server.origin + server.pathname.replace(/\/$/, '')
    this.#prefix = server.pathname.replace(/\/$/, '')
    this.#signIn = signIn
    this.#clock = clock
  }

  /** Sends one request. Throws `LostConnection`, a `Failure` of the sign-in, or the signal's reason. */
  async send(request: Omit<Outgoing, 'headers'> & { readonly headers?: Readonly<Record<string, string>> }, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    if (this.#closed.signal.aborted) throw new LostConnection('no', new Error('the client is closed'))
    const identity = await raced(this.#headers(), signal)
    const connection = await raced(this.#connected(), signal)
    return connection.send({ ...request, path: this.#prefix + request.path, headers: { accept: 'application/json', 'user-agent': 'plumbline', ...identity, ...request.headers } }, signal)
  }

  /** Forgets who we are, so that the next request signs in again, on a new connection (a client certificate belongs to the connection). */
  signOut(): void {
    this.#signIns += 1
    this.#identity = undefined
    this.#connecting = undefined
    this.#retired = [...this.#retired, ...this.#pool].filter((connection) => !connection.ended())
    this.#pool = []
    this.#signIn.reload()
  }

  close(): void {
    this.#closed.abort()
    for (const connection of [...this.#pool, ...this.#retired]) connection.close()
    this.#pool = []
    this.#retired = []
  }

  #headers(): Promise<Readonly<Record<string, string>>> {
    if (this.#identity === undefined || this.#clock.now() >= this.#identity.until) {
      const headers = this.#signIn.headers()
      const identity = { until: this.#clock.now() + signInMs, headers }
      this.#identity = identity
      headers.catch(() => {
        if (this.#identity === identity) this.#identity = undefined
      })
    }
    return this.#identity.headers
  }

  async #connected(): Promise<Connection> {
    const usable = this.#pool.find((connection) => connection.usable())
    if (usable !== undefined) return usable
    if (this.#connecting === undefined) {
      const connecting = this.#connect().finally(() => {
        if (this.#connecting === connecting) this.#connecting = undefined
      })
      this.#connecting = connecting
    }
    return this.#connecting
  }

  async #connect(): Promise<Connection> {
    const closed = () => new LostConnection('no', new Error('the client is closed'))
    if (this.#closed.signal.aborted) throw closed()
    // Whoever asks meanwhile is told at once: what waits, and tries again, is the request.
    if (this.#trouble !== undefined && this.#clock.now() < this.#trouble.until) throw this.#trouble.why
    const signIns = this.#signIns
    try {
      const connection = await connect(await this.#signIn.endpoint(), this.#clock, this.#closed.signal)
      // Whoever waits for it may use it; but after a sign-out, or the end, nobody else is to find it.
      if (signIns === this.#signIns) this.#pool = [...this.#pool.filter((other) => !other.ended()), connection]
      else this.#retired.push(connection)
      if (this.#closed.signal.aborted) connection.close()
      this.#trouble = undefined
      return connection
    } catch (error) {
      if (this.#closed.signal.aborted) throw closed()
      const failures = (this.#trouble?.failures ?? 0) + 1
      this.#trouble = { failures, until: this.#clock.now() + Math.min(longestBackoffMs, 50 * 2 ** failures), why: error }
      throw error
    }
  }
}

/** Work that is shared goes on when one who waits for it gives up. */
async function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
