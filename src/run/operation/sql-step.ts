import { Failure, asFailure } from '#lib/failure.ts'
import { capabilitiesFor } from '../probe-capabilities.ts'
import type { StepKind, StepOutcome } from './step.ts'

const maxBytes = 1024 * 1024

/**
 * One statement, sent once. What happens before it is sent, and what the database itself answers, is known; a connection that is lost after leaves nobody
 * who can tell.
 */
export const sqlStep: StepKind<'sql'> = {
  kind: 'sql',
  about: ({ target, statement }) => `on ${target}: ${shortened(statement)}`,
  carryOut: async ({ place, owner, signal }, { target, statement, timeout }): Promise<StepOutcome> => {
    const { parts } = place
    const own = AbortSignal.any([signal, AbortSignal.timeout(timeout + graceMs)])
    let isSent = false
    try {
      const clients = capabilitiesFor(place, owner)
      const url = await clients.sqlUrl(target)
      const resolve = (host: string): Promise<string[]> => clients.reach.resolve(host, own)
      const answer = await parts.withSql({ name: target, url, resolve, transaction: 'none', statementTimeoutMs: timeout, maxBytes, connecting: () => {} }, own, async (session) => {
        // The last look before it is out of our hands.
        await place.claim.assertLease()
        isSent = true
        return session.ask(statement)
      })
      return { state: 'done', message: answer.rows.length === 0 ? 'it was carried out' : `it was carried out, and answered ${answer.rows.length} row${answer.rows.length === 1 ? '' : 's'}` }
    } catch (error) {
      signal.throwIfAborted()
      const failure = own.aborted ? new Failure({ code: 'deadline-exceeded', subject: target, message: `the statement did not end within ${timeout / 1000} s`, retry: 'later' }) : asFailure(error, target)
      if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
      return { state: isSent && !answered.has(failure.code) ? 'unknown' : 'failed', failure: failure.toJSON() }
    }
  },
}

/** The server ends the statement at its own time; its word on that is worth a moment. */
const graceMs = 5_000

/** What the database itself says: then the statement did not take effect. Not an answer that is too large to be read: who answers so may have written. */
const answered: ReadonlySet<string> = new Set(['sql-failed', 'sql-denied', 'sql-invalid'])

function shortened(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}
