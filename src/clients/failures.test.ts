import { describe, expect, test } from 'vitest'
import { mysqlFailure } from './mysql/mysql-failure.ts'
import { postgresFailure } from './postgres/postgres-failure.ts'
import { socketFailure } from './socket-failure.ts'

const thrown = (message: string, more: object): Error => Object.assign(new Error(message), more)
const later = { subject: 'orders-db', retry: 'later' }

describe('what a failed connection means', () => {
  test.each([
    ['ECONNREFUSED', 'connection-refused', 'refused'],
    ['EHOSTUNREACH', 'connection-unreachable', 'EHOSTUNREACH'],
    ['ETIMEDOUT', 'connection-unreachable', 'ETIMEDOUT'],
    ['ECONNRESET', 'connection-lost', 'closed'],
    ['EPIPE', 'connection-lost', 'closed'],
    ['CERT_HAS_EXPIRED', 'tls-failed', 'has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-failed', 'another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls-failed', 'authority'],
    ['EMFILE', 'connection-failed', 'EMFILE'],
    ['', 'connection-failed', 'no reason'],
  ])('%s', (code, failure, says) => {
    expect(socketFailure(thrown('x', { code }), 'orders-db')).toMatchObject({ ...later, code: failure, message: expect.stringContaining(says) })
  })

  test('of several addresses that were tried the first one’s reason is told', () => {
    const both = new AggregateError([thrown('x', { code: 'ECONNREFUSED' }), thrown('y', { code: 'ETIMEDOUT' })])
    expect(socketFailure(both, 'orders-db')).toMatchObject({ code: 'connection-refused' })
  })
})

describe('what PostgreSQL says', () => {
  const url = 'postgres://probe:hush-hush-1@db/orders'
  test.each<[object, string, string, RegExp]>([
    [{ code: '28P01' }, 'password of hush-hush-1', 'sql-denied', /does not take the user or the password$/],
    [{ code: '42501' }, 'permission denied for table orders', 'sql-denied', /permission denied/],
    [{ code: '42601' }, 'syntax error', 'sql-invalid', /none that reads: syntax error/],
    [{ code: '25006' }, 'cannot execute DELETE in a read-only transaction', 'sql-invalid', /none that reads/],
    [{ code: '57014' }, 'canceling statement', 'sql-failed', /took too long/],
    [{ code: '42P01' }, 'relation "orders" does not exist, hush-hush-1', 'sql-failed', /does not exist/],
    [{ code: '22P02' }, 'invalid input syntax: "a row’s text"', 'sql-failed', /SQLSTATE 22P02\)$/],
    [{ code: 'ANSWER_TOO_LARGE' }, 'x', 'sql-answer-too-large', /more than is read/],
    [{}, 'The server does not support SSL connections', 'tls-failed', /does not speak TLS/],
    [{}, 'Connection terminated unexpectedly', 'connection-lost', /closed the connection/],
    [{}, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'sql-denied', /a password is needed/],
    [{}, 'unexpected byte', 'answer-invalid', /does not answer as PostgreSQL does/],
    [{ code: 'ECONNREFUSED' }, 'connect', 'connection-refused', /refused/],
  ])('%j: %s', (more, said, code, message) => {
    const failure = postgresFailure(thrown(said, more), 'orders-db', url)
    expect(failure).toMatchObject({ ...later, code, message: expect.stringMatching(message) })
    expect(JSON.stringify([failure, failure.cause ?? null])).not.toMatch(/hush-hush|a row’s text/)
  })
})

describe('what MySQL and MariaDB say', () => {
  test.each<[object, string, string, RegExp]>([
    [{ errno: 1045, sqlState: '28000' }, 'Access denied for user, hush-hush-1', 'sql-denied', /does not take the user or the password$/],
    [{ errno: 1142, sqlState: '42000' }, 'SELECT command denied', 'sql-denied', /SELECT command denied/],
    [{ code: 'AUTH_SWITCH_PLUGIN_ERROR' }, 'x', 'sql-denied', /not known here/],
    [{ errno: 1064, sqlState: '42000' }, 'You have an error in your SQL syntax', 'sql-invalid', /none that reads/],
    [{ errno: 1792, sqlState: '25006' }, 'Cannot execute statement in a READ ONLY transaction', 'sql-invalid', /none that reads/],
    [{ errno: 1969, sqlState: '70100' }, 'max_statement_time exceeded', 'sql-failed', /took too long/],
    [{ errno: 1146, sqlState: '42S02' }, 'Table orders does not exist', 'sql-failed', /does not exist/],
    [{ errno: 1366, sqlState: '22007' }, 'Incorrect value: “a row’s text”', 'sql-failed', /\(error 1366\)$/],
    [{ code: 'HANDSHAKE_SSL_ERROR', tlsCode: 'CERT_HAS_EXPIRED' }, 'x', 'tls-failed', /has expired/],
    [{ code: 'HANDSHAKE_NO_SSL_SUPPORT' }, 'x', 'tls-failed', /does not speak TLS/],
    [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'x', 'connection-lost', /closed the connection/],
    [{ code: 'PROTOCOL_UNEXPECTED_PACKET' }, 'x', 'answer-invalid', /does not answer as MySQL does/],
    [{ code: 'ECONNREFUSED' }, 'connect', 'connection-refused', /refused/],
  ])('%j: %s', (more, said, code, message) => {
    const failure = mysqlFailure(thrown(said, more), 'orders-db', 'hush-hush-1')
    expect(failure).toMatchObject({ ...later, code, message: expect.stringMatching(message) })
    expect(JSON.stringify([failure, failure.cause ?? null])).not.toMatch(/hush-hush|a row’s text/)
  })
})
