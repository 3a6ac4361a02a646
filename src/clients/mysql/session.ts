import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Connection, createConnection, FieldPacket, RowDataPacket } from 'mysql2'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import type { SqlDialling, SqlRows, SqlSession, WithSql } from '#clients/sql-session.ts'
import type { Json } from '#lib/json.ts'
import { until } from '#lib/until.ts'
import { mysqlFailure } from './mysql-failure.ts'
import { readMysqlUrl } from './read-url.ts'
import type { MysqlLogin } from './read-url.ts'

const lockTimeoutS = 2

/**
 * Connects to MySQL or MariaDB, asks within one transaction, rolls it back (where there is one), and disconnects. Failures: those of `mysqlFailure`,
 * `address-invalid`; or the signal's reason.
 */
export const withMysql: WithSql = async (dialling, signal, use) => {
  signal.throwIfAborted()
  const login = readMysqlUrl(dialling.url, dialling.name)
  const driver = await import('mysql2') // most control planes never ask MySQL, and 82 files take their time
  let sockets: Socket[] = []
  let addresses: readonly string[] = []
  const open = (): Connection => {
    const socket = connectTcp({ host: login.host, port: login.port, lookup: fixedLookup(addresses), autoSelectFamily: true, noDelay: true })
    sockets = [...sockets, socket]
    return connectionOn(driver.createConnection, socket, login, dialling.maxBytes)
  }
  let connection: Connection | undefined
  try {
    addresses = await dialling.resolve(login.host)
    signal.throwIfAborted()
    dialling.connecting?.()
    connection = open()
    await until(signedIn(connection), signal)
    dialling.connected?.()
    const { session, rollBack } = sessionOn(connection, dialling)
    const answer = await until(use(session), signal)
    await until(rollBack(), signal)
    connection.end()
    return answer
  } catch (error) {
    if (signal.aborted && typeof connection?.threadId === 'number') endQuery(open(), connection.threadId)
    signal.throwIfAborted()
    throw mysqlFailure(error, dialling.name, login.password)
  } finally {
    sockets[0]?.destroy() // with its connection a transaction ends, undone
  }
}

function connectionOn(create: typeof createConnection, socket: Socket, login: MysqlLogin, maxBytes: number): Connection {
  const { host, port, user, password, database, ssl } = login
  const connection = create({
    host,
    port,
    user,
    password,
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl: { ...(ssl.ca === undefined ? {} : { ca: ssl.ca }), rejectUnauthorized: ssl.rejectUnauthorized } }),
    stream: () => socket,
    connectTimeout: 0, // the signal ends it
    flags: ['-LOCAL_FILES'], // no server is sent files of ours
    disableEval: true,
    dateStrings: true,
    decimalNumbers: true,
    supportBigNumbers: true,
    bigNumberStrings: false,
    connectAttributes: { program_name: 'plumbline-probe' },
  })
  connection.on('error', () => {}) // the connection may also break while nothing is asked
  guardAnswers(connection, maxBytes)
  guardTls(connection, login)
  return connection
}

function signedIn(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => connection.connect((error) => (error === null ? resolve() : reject(error))))
}

function sessionOn(connection: Connection, { transaction, statementTimeoutMs }: SqlDialling): { session: SqlSession; rollBack: () => Promise<unknown> } {
  const send = (sql: string): Promise<SqlRows> =>
    new Promise((resolve, reject) =>
      connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true }, (error, rows, fields) => (error === null ? resolve(rowsOf(rows as unknown, fields)) : reject(error))),
    )
  const begin = async (): Promise<void> => {
    // Each server passes over what is written for the other: MySQL a comment with an M, MariaDB one with a version of MySQL 5.7 and later.
    await send(
      `set session innodb_lock_wait_timeout = ${lockTimeoutS}, lock_wait_timeout = ${lockTimeoutS} /*M!100101 , max_statement_time = ${statementTimeoutMs / 1000} */ /*!50708 , max_execution_time = ${Math.ceil(statementTimeoutMs)} */`,
    )
    if (transaction !== 'none') await send(transaction === 'reading' ? 'start transaction read only' : 'start transaction')
  }
  let begun: Promise<void> | undefined
  const one = async (sql: string): Promise<SqlRows> => {
    // Who only connects, begins nothing.
    await (begun ??= begin())
    return send(sql)
  }
  return {
    session: {
      engine: 'mysql',
      // Whatever is written there, the statement is one `select`, since the server takes one statement at a time; the line's end closes a comment.
      read: (query, most) => one(`select * from (\n${query}\n) as answer limit ${most}`),
      ask: one,
    },
    rollBack: async () => (begun === undefined || transaction === 'none' ? undefined : send('rollback')),
  }
}

function rowsOf(rows: unknown, fields: readonly FieldPacket[] | undefined): SqlRows {
  if (!Array.isArray(rows)) return { columns: [], rows: [] }
  return { columns: (fields ?? []).map(({ name }) => name), rows: (rows as unknown[][]).map((row) => row.map(valueOf)) }
}

function valueOf(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  return JSON.parse(JSON.stringify(value ?? null)) as Json // a document of a JSON column
}

type Parser = { execute(chunk: Buffer): void }

/** What the server sends goes through here before `mysql2` reads it, in the clear or out of TLS: no more than so many bytes, and what it cannot make sense of ends the connection. */
function guardAnswers(connection: Connection, maxBytes: number): void {
  const guarded = connection as unknown as { packetParser: Parser; stream: Socket }
  const parser = guarded.packetParser
  let bytes = 0
  guarded.packetParser = {
    execute: (chunk) => {
      bytes += chunk.length
      if (bytes > maxBytes) {
        guarded.stream.destroy(Object.assign(new Error('more than is read'), { code: 'ANSWER_TOO_LARGE' }))
        return
      }
      try {
        parser.execute(chunk)
      } catch (error) {
        guarded.stream.destroy(error instanceof Error ? error : new Error('the answer makes no sense'))
      }
    },
  }
}

type TlsError = Error & { code?: string; tlsCode?: string }

/**
 * What `mysql2` does not do about TLS: it holds the certificate of a server that is named by its address against the name `localhost`, and writes a code of its
 * own over the one that tells what does not hold.
 */
function guardTls(connection: Connection, { host, ssl }: MysqlLogin): void {
  const guarded = connection as unknown as { stream: TLSSocket; startTLS(onSecure: (error?: TlsError) => void): void }
  const start = guarded.startTLS.bind(connection)
  guarded.startTLS = (onSecure) =>
    start((error) => {
      const wrong: TlsError | undefined = error ?? (ssl?.verifyIdentity === true ? checkServerIdentity(host, guarded.stream.getPeerCertificate()) : undefined)
      if (wrong === undefined) onSecure()
      else onSecure(Object.assign(wrong, { tlsCode: wrong.code ?? '' }))
    })
}

/** Asks the server, on a connection of its own, to stop what nobody waits for any more. */
function endQuery(connection: Connection, thread: number): void {
  const { stream } = connection as unknown as { stream: Socket }
  stream.setTimeout(2_000, () => stream.destroy())
  stream.unref()
  connection.query(`kill query ${thread}`, () => connection.destroy())
}
