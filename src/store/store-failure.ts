import { Failure } from '#lib/failure.ts'

/** What a driver's error tells: PostgreSQL's SQLSTATE or Node's error code, and its words. */
export type SqlError = { readonly code?: string; readonly message: string; readonly constraint?: string }

const subject = 'store'

/** Connection loss, shutdown, start-up, too many connections, a read-only standby, disk full, input/output error. */
const unavailable = /^(08(?!P01)...|57P0[1-5]|53...|58030|58P01|25006|E[A-Z_]+)$/
const denied = /^(28...|3D000|42501)$/
const conflict = /^(40001|40P01|55P03)$/

/** A statement's parameters are left out of every message: they may hold anything. */
export function storeFailure(error: SqlError, text?: string): Failure {
  const code = error.code ?? ''
  const details = { subject, cause: error, fields: { sqlstate: code, ...(text === undefined ? {} : { statement: text.trim().slice(0, 200) }) } }
  if (unavailable.test(code)) return unavailableFailure(`The store is not available: ${error.message}`, error, hintFor(code))
  if (code === '57014' || code === '25P03') {
    return new Failure({ ...details, code: 'store-timeout', message: `The store stopped a statement that took too long: ${error.message}`, retry: 'later' })
  }
  if (conflict.test(code)) {
    return new Failure({ ...details, code: 'store-conflict', message: `Another transaction was in the way: ${error.message}`, retry: 'now' })
  }
  if (code === 'XX001' || code === 'XX002') {
    return new Failure({ ...details, code: 'store-broken', message: `The store's data is damaged: ${error.message}`, hint: 'Stop Plumbline, keep a copy of the data, and restore a backup.' })
  }
  if (code.startsWith('23')) {
    const fields = { ...details.fields, ...(error.constraint === undefined ? {} : { constraint: error.constraint }) }
    return new Failure({ ...details, code: 'store-constraint', message: `The store refused a row: ${error.message}`, fields })
  }
  if (denied.test(code)) {
    return new Failure({
      ...details,
      code: 'store-denied',
      message: `The store refused us: ${error.message}`,
      hint: 'Check the user, the password and the database in DATABASE_URL, and what that user may do.',
    })
  }
  return new Failure({
    ...details,
    code: 'store-statement',
    message: `The store could not carry out a statement: ${error.message}`,
    hint: 'This is a defect in Plumbline: please report it with the log around it.',
  })
}

export function unavailableFailure(message: string, cause: unknown, hint?: string): Failure {
  return new Failure({
    code: 'store-unavailable',
    subject,
    message,
    hint: hint ?? 'Check that the PostgreSQL server runs and can be reached. Plumbline goes on by itself when it is back.',
    retry: 'later',
    cause,
  })
}

export function lockTaken(name: string): Failure {
  return new Failure({ code: 'store-lock-taken', subject: name, message: `Another session holds the lock ${name}.`, retry: 'later' })
}

function hintFor(code: string): string | undefined {
  if (code === '53100' || code === 'ENOSPC') return 'The disk of the store is full: make room. Nothing that was acknowledged is lost, and Plumbline goes on by itself.'
  if (code === '58030' || code === 'EIO') return 'The disk of the store reports errors: check it before anything else.'
  if (code === '53300') return 'The server has no connection left: raise max_connections or run fewer replicas.'
  if (code === '57P02') return 'The engine ended without notice. Plumbline opens it again by itself; if this repeats, report it with the log around it.'
  if (code === '25006') return 'The server is a read-only standby: point DATABASE_URL at the primary.'
  return undefined
}
