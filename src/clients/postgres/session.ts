import { Socket } from 'node:net'
import type { SocketConnectOpts } from 'node:net'
import { Client } from 'pg'
import type { QueryArrayConfig, QueryArrayResult } from 'pg'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import type { SqlDialling, SqlRows, SqlSession, WithSql } from '#clients/sql-session.ts'
import { Failure } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import { until } from '#lib/until.ts'
import { postgresFailure } from './postgres-failure.ts'

/** Statements of ours that wait for somebody else's lock are worth less than an answer. */
const lockTimeoutMs = 2_000

/**
 * Connects, asks within one transaction, rolls it back (where there is one), and disconnects. The URL is PostgreSQL's own (TLS and its certificates by `sslmode` and
 * `sslrootcert`, as `pg` reads them). Failures: those of `postgresFailure`, `address-invalid`; or the signal's reason.
 */
export const withPostgres: WithSql = async (dialling, signal, use) => {
  signal.throwIfAborted()
  const dialled = { addresses: [] as readonly string[] }
  const socket = dial(dialled)
  const client = clientOf(dialling, socket)
  guardAnswers(client, dialling.maxBytes)
  client.on('error', () => {}) // the connection may also break while nothing is asked
  try {
    if (!client.host.startsWith('/')) dialled.addresses = await dialling.resolve(client.host)
    signal.throwIfAborted()
    dialling.connecting?.()
    await until(client.connect(), signal)
    dialling.connected?.()
    const { session, rollBack } = sessionOn(client, dialling)
    const answer = await until(use(session), signal)
    await until(rollBack(), signal)
    await until(client.end(), signal)
    return answer
  } catch (error) {
    if (signal.aborted) cancel(client, dialled.addresses)
    signal.throwIfAborted()
    throw postgresFailure(error, dialling.name, dialling.url)
  } finally {
    socket.destroy() // with its connection a transaction ends, undone
  }
}

function sessionOn(client: Client, { transaction, statementTimeoutMs }: SqlDialling): { session: SqlSession; rollBack: () => Promise<unknown> } {
  // `begin` alone is as the server, the database and the role have it: what may not write by default is not to be seen as writing.
  const begin =
    transaction === 'none'
      ? `set statement_timeout = ${Math.ceil(statementTimeoutMs)}`
      : `begin${transaction === 'reading' ? ' transaction read only' : ''}; set local statement_timeout = ${Math.ceil(statementTimeoutMs)}; set local lock_timeout = ${lockTimeoutMs}`
  let begun: Promise<unknown> | undefined
  const one = async (text: string): Promise<QueryArrayResult<(string | null)[]>> => {
    // Who only connects, begins nothing.
    await (begun ??= client.query(begin))
    // With parameters, even none, the server takes one statement at a time.
    return client.query<(string | null)[]>({ text, values: [], queryMode: 'extended', rowMode: 'array', types: { getTypeParser: () => (value: string) => value } } as QueryArrayConfig)
  }
  return {
    session: {
      engine: 'postgres',
      read: async (query, most) => {
        // A cursor's query is one that only reads, and no more rows than that come back.
        await one(`declare answer no scroll cursor for ${query}`)
        return rowsOf(await one(`fetch ${most} from answer`))
      },
      ask: async (statement) => rowsOf(await one(statement)),
    },
    rollBack: async () => (begun === undefined || transaction === 'none' ? undefined : client.query('rollback')),
  }
}

function rowsOf({ rows, fields }: QueryArrayResult<(string | null)[]>): SqlRows {
  return { columns: fields.map(({ name }) => name), rows: rows.map((row) => row.map((text, index) => valueOf(text, fields[index]?.dataTypeID ?? 0))) }
}

/** int8, int2, int4, oid, float4, float8, numeric; json, jsonb (pg_type.dat of PostgreSQL). */
const numbers: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700])
const documents: ReadonlySet<number> = new Set([114, 3802])
const bool = 16

function valueOf(text: string | null, type: number): Json {
  if (text === null) return null
  if (type === bool) return text === 't'
  if (documents.has(type)) return JSON.parse(text) as Json
  if (!numbers.has(type)) return text
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

function clientOf({ name, url }: SqlDialling, socket: Socket): Client {
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('not a URL of PostgreSQL')
    return new Client({ connectionString: url, stream: () => socket, application_name: 'plumbline-probe' })
  } catch {
    // What the parser says quotes the URL, and with it the password.
    throw new Failure({ code: 'address-invalid', subject: name, message: `the URL of ${name} is no connection URL of PostgreSQL`, hint: 'It is written postgres://user:password@host:port/database.' })
  }
}

/** A socket that `pg` tells where to connect to, and that goes to the resolved addresses. */
function dial(dialled: { readonly addresses: readonly string[] }): Socket {
  const socket = new Socket()
  const connectTo: (options: SocketConnectOpts) => Socket = socket.connect.bind(socket)
  const connect = (portOrPath: number | string, host?: string): Socket =>
    typeof portOrPath === 'string' ? connectTo({ path: portOrPath }) : connectTo({ port: portOrPath, host: host ?? '', lookup: fixedLookup(dialled.addresses), autoSelectFamily: true })
  return Object.assign(socket, { connect })
}

/**
 * What the server sends goes through here before `pg` reads it, in the clear or out of TLS: no more than so many bytes, and what `pg` cannot
 * make sense of ends the connection. By itself it throws that out of an event, which would end the process.
 */
function guardAnswers(client: Client, maxBytes: number): void {
  const { connection } = client as unknown as { connection: { attachListeners(stream: Socket): void } }
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => {
    const on: (event: string, listener: (...values: unknown[]) => void) => Socket = stream.on.bind(stream)
    let bytes = 0
    const guarded = (listener: (chunk: Buffer) => void) => (chunk: unknown) => {
      bytes += (chunk as Buffer).length
      if (bytes > maxBytes) {
        stream.destroy(Object.assign(new Error('more than is read'), { code: 'ANSWER_TOO_LARGE' }))
        return
      }
      try {
        listener(chunk as Buffer)
      } catch {
        stream.destroy(new Error('the answer makes no sense'))
      }
    }
    attach(Object.assign(stream, { on: (event: string, listener: (...values: unknown[]) => void) => on(event, event === 'data' ? guarded(listener) : listener) }))
  }
}

/** Asks the server to stop what nobody waits for any more: CancelRequest of the frontend protocol, on a connection of its own. */
function cancel(client: Client, addresses: readonly string[]): void {
  const { processID, secretKey } = client as unknown as { processID: number | null; secretKey: number | null }
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(80_877_102, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  const socket = dial({ addresses })
  socket.on('error', () => {})
  socket.setTimeout(2_000, () => socket.destroy())
  socket.unref()
  if (client.host.startsWith('/')) socket.connect(`${client.host}/.s.PGSQL.${client.port}`)
  else socket.connect(client.port, client.host)
  socket.end(request)
}
