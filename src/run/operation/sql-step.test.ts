import { expect, test } from 'vitest'
import type { SqlDialling, SqlSession } from '#clients/sql-session.ts'
import { FakeClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { sqlStep } from './sql-step.ts'
import type { StepCall } from './step.ts'

const failure = (code: string): Failure => new Failure({ code, subject: 'db', message: 'as a database would say', retry: 'later' })

/** What becomes of a statement, where a fake session fails before it is sent, or after. */
async function carriedOut({ before, after, lease }: { before?: Failure; after?: Failure; lease?: Failure }, signal = new AbortController().signal) {
  const sent: string[] = []
  const dialled: SqlDialling[] = []
  const withSql = async (dialling: SqlDialling, _signal: AbortSignal, use: (session: SqlSession) => Promise<unknown>) => {
    dialled.push(dialling)
    if (before !== undefined) throw before
    return use({
      engine: 'postgres',
      read: () => Promise.reject(new Error('nothing is read')),
      ask: async (statement) => {
        sent.push(statement)
        if (after !== undefined) throw after
        return { columns: [], rows: [] }
      },
    })
  }
  const parts = { clock: new FakeClock(), withSql, resolveSecret: async () => ({ value: 'postgres://user:secret@db/db', version: '1' }), resolve: async () => ['127.0.0.1'] }
  const claim = { signal, fence: async () => {}, assertLease: async () => { if (lease !== undefined) throw lease } }
  const environment = { metadata: { name: 'production' }, spec: { addresses: {}, reach: [], targets: { db: { postgres: { url: { secretRef: 'env:DB' } } } } } }
  const call = { place: { parts, environment, claim }, owner: { name: 'x', repository: 'platform', limits: 'everything' }, row: { name: 'write', position: 0 }, signal } as unknown as StepCall
  const outcome = await sqlStep.carryOut(call, { target: 'db', statement: 'select pg_promote()', timeout: 60_000 })
  return { outcome, sent, dialled }
}

test('a statement is sent once, outside of a transaction', async () => {
  const { outcome, sent, dialled } = await carriedOut({})
  expect(outcome).toEqual({ state: 'done', message: 'it was carried out' })
  expect(sent).toEqual(['select pg_promote()'])
  expect(dialled).toMatchObject([{ transaction: 'none', statementTimeoutMs: 60_000 }])
})

test('what happens before it is sent, and what the database itself answers, is a failure: nothing took effect', async () => {
  expect(await carriedOut({ before: failure('connection-refused') })).toMatchObject({ outcome: { state: 'failed', failure: { code: 'connection-refused' } }, sent: [] })
  for (const code of ['sql-failed', 'sql-denied', 'sql-invalid']) expect((await carriedOut({ after: failure(code) })).outcome).toMatchObject({ state: 'failed', failure: { code } })
})

test('a connection that is lost after it was sent, or an answer that is not read to its end, leaves nobody who can tell', async () => {
  for (const code of ['connection-lost', 'sql-answer-too-large']) expect((await carriedOut({ after: failure(code) })).outcome).toMatchObject({ state: 'unknown', failure: { code } })
})

test('who lost the lease sends nothing', async () => {
  const lost = carriedOut({ lease: failure('lease-lost') })
  await expect(lost).rejects.toMatchObject({ code: 'lease-lost' })
})

test('no message has the password', async () => {
  expect(JSON.stringify((await carriedOut({ after: failure('connection-lost') })).outcome)).not.toContain('secret@')
})
