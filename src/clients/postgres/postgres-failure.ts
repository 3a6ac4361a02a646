import { socketFailure } from '#clients/socket-failure.ts'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'

/**
 * What PostgreSQL, or the way to it, says, by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). Failures
 * `sql-denied` (user, password, rights), `sql-invalid` (the statement is none, or does more than read), `sql-failed` (the database's own
 * answer), `sql-answer-too-large` (more of it than is read), and those of `socketFailure`. No message has the URL's password, and none has data of a row.
 */
export function postgresFailure(error: unknown, name: string, url: string): Failure {
  if (error instanceof Failure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const redactor = new Redactor()
  redactor.add(url)
  const said = error instanceof Error ? redactor.redact(error.message) : ''
  // No cause goes along: what the driver throws holds the server's notices and details.
  const make = (failure: string, message: string): Failure => new Failure({ code: failure, subject: name, message, retry: 'later' })
  if (code === 'ANSWER_TOO_LARGE') return make('sql-answer-too-large', `${name} answers with more than is read`)
  if (!/^[0-9A-Z]{5}$/.test(code)) return brokenConnection(error, code, name, said, make)
  if (code.startsWith('28')) return make('sql-denied', `${name} does not take the user or the password`)
  if (code === '42501') return make('sql-denied', `${name}: ${said}`)
  if (code === '42601' || code === '25006' || code === '0A000' || code === '42P11') return make('sql-invalid', `the statement is none that reads: ${said}`)
  if (code === '57014') return make('sql-failed', `${name} ended the query: it took too long`)
  // Data exceptions and violated constraints quote what is in the rows.
  return make('sql-failed', code.startsWith('22') || code.startsWith('23') ? `${name}: the query failed (SQLSTATE ${code})` : `${name}: ${said}`)
}

function brokenConnection(error: unknown, code: string, name: string, said: string, make: (code: string, message: string) => Failure): Failure {
  if (code !== '') return socketFailure(error, name)
  if (said.includes('SSL connections')) return make('tls-failed', `${name} does not speak TLS`)
  if (said.includes('Connection terminated')) return make('connection-lost', `${name} closed the connection`)
  if (/SASL|SCRAM|password/i.test(said)) return make('sql-denied', `${name}: a password is needed, and the URL has none that serves`)
  return make('answer-invalid', `${name} does not answer as PostgreSQL does`)
}
