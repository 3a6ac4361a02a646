import { socketFailure, tlsWords } from '#clients/socket-failure.ts'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'

/** Access denied: for a user, to a database, without a password; unknown plugin; for a table, a column, a routine, an operation. */
const denied: ReadonlySet<number> = new Set([1045, 1044, 1698, 1524, 1142, 1143, 1227, 1370])
/** Syntax; a parse error; a statement that a read-only transaction does not take; that cannot be prepared; a function that writes. */
const notReading: ReadonlySet<number> = new Set([1064, 1149, 1792, 1295])
/** Interrupted: by KILL, by MySQL's max_execution_time, by MariaDB's max_statement_time. */
const interrupted: ReadonlySet<number> = new Set([1317, 3024, 1969])

/**
 * What MySQL or MariaDB, or the way to it, says, by its error number (https://mariadb.com/kb/en/mariadb-error-code-reference/). Failures as
 * those of `postgresFailure`. No message has the password, and none has data of a row.
 */
export function mysqlFailure(error: unknown, name: string, password: string): Failure {
  if (error instanceof Failure) return error
  const { code, errno, sqlState, tlsCode } = detailsOf(error)
  const redactor = new Redactor()
  redactor.add(password)
  const said = error instanceof Error ? redactor.redact(error.message) : ''
  // No cause goes along: what the driver throws holds the statement.
  const make = (failure: string, message: string): Failure => new Failure({ code: failure, subject: name, message, retry: 'later' })
  if (code === 'ANSWER_TOO_LARGE') return make('sql-answer-too-large', `${name} answers with more than is read`)
  if (code === 'HANDSHAKE_SSL_ERROR') return make('tls-failed', `TLS with ${name} failed: ${tlsWords(tlsCode)}`)
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return make('tls-failed', `${name} does not speak TLS`)
  if (code === 'PROTOCOL_CONNECTION_LOST') return make('connection-lost', `${name} closed the connection`)
  if (/AUTH_SWITCH|CLEAR_PASSWORD/.test(code) || /authentication using unknown plugin/.test(said)) return make('sql-denied', `${name} asks for a way to sign in that is not known here, or not used without TLS`)
  // The server's own errors have an SQLSTATE, or, before anybody is signed in (too many connections, a blocked host), a number of 1000 and more.
  if (errno < 1000 && sqlState === '') return /^(|PROTOCOL_.*|ERR_(?!TLS|SSL).*)$/.test(code) ? make('answer-invalid', `${name} does not answer as MySQL does`) : socketFailure(error, name)
  if (denied.has(errno)) return make('sql-denied', errno < 1100 || errno === 1698 || errno === 1524 ? `${name} does not take the user or the password` : `${name}: ${said}`)
  if (notReading.has(errno)) return make('sql-invalid', `the statement is none that reads: ${said}`)
  if (interrupted.has(errno)) return make('sql-failed', `${name} ended the query: it took too long`)
  // Data exceptions and violated constraints quote what is in the rows.
  return make('sql-failed', sqlState.startsWith('22') || sqlState.startsWith('23') ? `${name}: the query failed (error ${errno})` : `${name}: ${said}`)
}

function detailsOf(error: unknown): { code: string; errno: number; sqlState: string; tlsCode: string } {
  const { code = '', errno = 0, sqlState = '', tlsCode = '' } = (error instanceof Error ? error : {}) as Readonly<Record<string, unknown>>
  return { code: String(code), errno: Number(errno) || 0, sqlState: String(sqlState), tlsCode: String(tlsCode) }
}
