import { Socket } from 'node:net'
import type { SocketConnectOpts } from 'node:net'
import { Client } from 'pg'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import { Failure } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import { until } from '#lib/until.ts'
import { postgresFailure } from './postgres-failure.ts'

export type PostgresQuestion = {
  /** What messages call the database. */
  readonly name: string
  /** A connection URL; TLS and its certificates by `sslmode` and `sslrootcert`, as `pg` reads them. */
  readonly url: string
  /** The addresses that the URL's host may be dialled at. Not called for a socket on disk. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** One reading statement that can be the query of a cursor. Without one, it is only connected. */
  readonly query?: string
  readonly statementTimeoutMs: number
  readonly maxBytes: number
  readonly connecting?: () => void
  readonly connected?: () => void
}

/** The first row's first column, and whether there were more rows than one. Undefined where there was no row. */
export type PostgresAnswer = { readonly column: string; readonly value: Json; readonly more: boolean }

/**
 * Connects, reads in a read-only transaction, and disconnects. The statement runs as a cursor's query, so that it is one, that it only reads,
 * and that no more than two rows come back. Failures: those of `postgresFailure`, `address-invalid`; or the signal's reason.
 */
export async function readOnce(question: PostgresQuestion, signal: AbortSignal): Promise<PostgresAnswer | undefined> {
  signal.throwIfAborted()
  const { name, query } = question
  const dialled = { addresses: [] as readonly string[] }
  const socket = dialling(dialled)
  const client = clientOf(question, socket)
  guardAnswers(client, question.maxBytes)
  client.on('error', () => {}) // the connection may also break while nothing is asked
  try {
    if (!client.host.startsWith('/')) dialled.addresses = await question.resolve(client.host)
    signal.throwIfAborted()
    question.connecting?.()
    await until(client.connect(), signal)
    question.connected?.()
    const answer = query === undefined ? undefined : await until(readRow(client, query, question.statementTimeoutMs), signal)
    await until(client.end(), signal)
    return answer
  } catch (error) {
    if (signal.aborted) cancel(client, dialled.addresses)
    signal.throwIfAborted()
    throw postgresFailure(error, name, question.url)
  } finally {
    socket.destroy()
  }
}

async function readRow(client: Client, query: string, statementTimeoutMs: number): Promise<PostgresAnswer | undefined> {
  await client.query('begin transaction read only')
  await client.query(`set local statement_timeout = ${Math.ceil(statementTimeoutMs)}`)
  // With parameters, even none, the server takes one statement at a time.
  await client.query({ text: `declare answer no scroll cursor for ${query}`, values: [], queryMode: 'extended' } as { text: string; values: [] })
  const { rows, fields } = await client.query<(string | null)[]>({ text: 'fetch 2 from answer', rowMode: 'array', types: { getTypeParser: () => (text: string) => text } })
  const [row] = rows
  const [field] = fields
  if (row === undefined || field === undefined) return undefined
  return { column: field.name, value: valueOf(row[0] ?? null, field.dataTypeID), more: rows.length > 1 }
}

/** int8, int2, int4, oid, float4, float8, numeric (pg_type.dat of PostgreSQL). */
const numbers: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700])
const bool = 16

function valueOf(text: string | null, type: number): Json {
  if (text === null) return null
  if (type === bool) return text === 't'
  if (!numbers.has(type)) return text
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

function clientOf({ name, url }: PostgresQuestion, socket: Socket): Client {
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('not a URL of PostgreSQL')
    return new Client({ connectionString: url, stream: () => socket, application_name: 'plumbline-probe' })
  } catch {
    // What the parser says quotes the URL, and with it the password.
    throw new Failure({ code: 'address-invalid', subject: name, message: `the URL of ${name} is no connection URL of PostgreSQL`, hint: 'It is written postgres://user:password@host:port/database.' })
  }
}

/** A socket that `pg` tells where to connect to, and that goes to the resolved addresses. */
function dialling(dialled: { readonly addresses: readonly string[] }): Socket {
  const socket = new Socket()
  const dial: (options: SocketConnectOpts) => Socket = socket.connect.bind(socket)
  const connect = (portOrPath: number | string, host?: string): Socket =>
    typeof portOrPath === 'string' ? dial({ path: portOrPath }) : dial({ port: portOrPath, host: host ?? '', lookup: fixedLookup(dialled.addresses), autoSelectFamily: true })
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
  const socket = dialling({ addresses })
  socket.on('error', () => {})
  socket.setTimeout(2_000, () => socket.destroy())
  socket.unref()
  if (client.host.startsWith('/')) socket.connect(`${client.host}/.s.PGSQL.${client.port}`)
  else socket.connect(client.port, client.host)
  socket.end(request)
}
