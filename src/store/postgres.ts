import { Pool, type ClientConfig, type CustomTypesConfig, type PoolClient } from 'pg'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { postgresFailure } from './postgres/postgres-failure.ts'
import { PostgresSession } from './postgres/session.ts'
import type { Param, Sql, Store } from './sql.ts'
import { unavailableFailure } from './store-failure.ts'
import { refuseInsideTransaction, runTransaction } from './transaction.ts'
import { decoders, encodeParam } from './values.ts'

export type PostgresOptions = {
  /** Connections beside the one that listens. */
  readonly connections?: number
  /** The server ends a statement after this long (ms), and a transaction in which nothing happens for as long, or 10 s: its process is frozen, and others wait for its rows. */
  readonly statementTimeout?: number
}

/**
 * A PostgreSQL server (15 or later), by a URL whose `sslmode` and certificates decide on TLS. Not through a transaction pooler: the session
 * locks and LISTEN need a connection of their own. A lost connection fails what was under way with `store-unavailable` (a write may then
 * have happened or not: writes must be fit to be repeated), and the next statement connects again. Failure `database-url-invalid`.
 */
export function openPostgres(url: string, clock: Clock, options: PostgresOptions = {}): Store {
  const config: ClientConfig = {
    connectionString: withSettings(url, options.statementTimeout ?? 60_000),
    application_name: 'plumbline',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: { getTypeParser: (oid: number) => decoders[oid] ?? String } as unknown as CustomTypesConfig,
  }
  const pool = new Pool({ ...config, max: options.connections ?? 10 })
  pool.on('error', () => {}) // an idle connection broke: the pool drops it, and without a listener the process would end
  return new PostgresStore(pool, new PostgresSession(config, clock))
}

/** A part of what is no URL may be a password: nothing of it is told. */
function expectUrl(url: string): URL {
  const parsed = URL.parse(url)
  if (parsed !== null && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed
  throw new Failure({
    code: 'database-url-invalid',
    subject: 'DATABASE_URL',
    message: `it is no URL of a PostgreSQL server${parsed === null ? '' : ': it begins with another scheme than postgres:'}`,
    hint: 'Write postgres://user:password@host:5432/database, and what is special in a password percent-encoded; or leave it out, for the embedded store.',
  })
}

/** In a transaction nothing but the store is waited for; where signers are, it says so (`waitForSigners`). */
const frozenAfter = 10_000

/** What makes both stores read alike; and keepalives, so that the server notices within 25 s that a machine is gone, and frees its locks. */
function withSettings(url: string, statementTimeout: number): string {
  const parsed = expectUrl(url)
  const settings = {
    timezone: 'UTC',
    datestyle: 'ISO',
    bytea_output: 'hex',
    statement_timeout: statementTimeout,
    idle_in_transaction_session_timeout: Math.min(statementTimeout, frozenAfter),
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
  }
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  parsed.searchParams.set('options', [parsed.searchParams.get('options'), ...ours].filter((part) => part !== null).join(' '))
  return parsed.href
}

class PostgresStore implements Store {
  readonly kind = 'postgres'
  readonly #pool: Pool
  readonly #session: PostgresSession
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(pool: Pool, session: PostgresSession) {
    this.#pool = pool
    this.#session = session
  }

  async query<Row extends object>(text: string, params: readonly Param[] = []): Promise<Row[]> {
    refuseInsideTransaction(this)
    return this.#with((client) => runOn(client, text, params)) as Promise<Row[]>
  }

  async script(text: string): Promise<void> {
    refuseInsideTransaction(this)
    await this.#with(async (client) => {
      await client.query(text).catch((error: unknown) => {
        throw postgresFailure(error, text)
      })
    })
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    refuseInsideTransaction(this)
    return this.#with((client) => runTransaction(this, this.kind, (text, params) => runOn(client, text, params), work))
  }

  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    return this.#session.listen(channel, heard)
  }

  holdLock(space: number, key: number, lost: () => void): Promise<() => Promise<void>> {
    return this.#session.holdLock(space, key, lost)
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  /** The pool forgets who still waits for a connection when it ends. */
  async #end(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await Promise.all([this.#pool.end(), this.#session.close()])
  }

  #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(unavailableFailure('The store is closed.', undefined, 'Plumbline is stopping.'))
    const one = this.#withClient(work)
    this.#underWay.add(one)
    const over = (): boolean => this.#underWay.delete(one)
    one.then(over, over)
    return one
  }

  async #withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw postgresFailure(error)
    })
    let broken: Error | undefined
    const notice = (error: Error): void => {
      broken = error
    }
    client.on('error', notice) // a checked-out connection is not under the pool's own listener
    try {
      return await work(client)
    } finally {
      client.off('error', notice)
      client.release(broken)
    }
  }
}

async function runOn(client: PoolClient, text: string, params: readonly Param[]): Promise<Record<string, unknown>[]> {
  try {
    return (await client.query(text, params.map(encodeParam))).rows as Record<string, unknown>[]
  } catch (error) {
    throw postgresFailure(error, text)
  }
}
