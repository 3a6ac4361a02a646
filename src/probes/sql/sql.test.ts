import { TLSSocket } from 'node:tls'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCel } from '#lib/cel.ts'
import { systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Sample } from '#model/probe.ts'
import { eventually } from '../../../test/eventually.ts'
import { postgresMissing, startPostgres } from '../../../test/postgres.ts'
import { selfSigned } from '../../../test/certificates.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { sql } from './sql.ts'

const missing = postgresMissing()
const cel = openCel({ timeoutMs: 1_000 })
afterAll(() => cel.close())

describe.skipIf(missing !== undefined)(`the sql probe${missing === undefined ? '' : ` (${missing})`}`, () => {
  let url = ''
  let stop = async (): Promise<void> => {}
  let admin: Client
  beforeAll(async () => {
    ;({ url, stop } = await startPostgres())
    admin = new Client({ connectionString: url })
    await admin.connect()
    await admin.query('create table orders (id int, note text); insert into orders select n, $$canary-note$$ from generate_series(1, 3) n')
  })
  afterAll(async () => {
    await admin?.end()
    await stop()
  })

  async function ask(config: object, { to = url, ms = 10_000 } = {}): Promise<Sample> {
    const clients = { reach: reachTo({}), sqlUrl: async () => to, cel: cel.evaluate }
    return sql.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, sql.schema.parse({ target: 'orders-db', ...config }))
  }

  test('holds a value against its rules, and says what it is by the name of its column', async () => {
    expect(await ask({ query: 'select 47 as replica_lag', max: 10, warn: 5, unit: 's' })).toMatchObject({
      signal: 'count', verdict: 'failed', value: 47, unit: 's', threshold: '<= 10 s, warns above 5 s', message: 'replica lag 47 s, threshold 10 s', target: 'orders-db: select 47 as replica_lag',
    })
    expect(await ask({ query: 'select 7.5::numeric as replica_lag', max: 10, warn: 5, unit: 's' })).toMatchObject({ verdict: 'warned', value: 7.5, message: 'replica lag 7.5 s, warns above 5 s' })
    expect(await ask({ query: 'select count(*) from orders', min: 1 })).toMatchObject({ verdict: 'passed', value: 3, message: 'count 3' })
    expect(await ask({ query: 'select count(*) from orders', min: 4 })).toMatchObject({ verdict: 'failed', message: 'count 3, at least 4 expected' })
    expect(await ask({ query: 'select not pg_is_in_recovery()', equals: true })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true })
    expect(await ask({ query: 'select null::int', max: 1 })).toMatchObject({ verdict: 'failed', message: 'int4 is null, expected a number' })
  })

  test('only connects where there is no query', async () => {
    expect(await ask({})).toMatchObject({ signal: 'reachability', verdict: 'passed', target: 'connect orders-db', message: 'connected' })
  })

  test('wants one row, and repeats no text that it read', async () => {
    expect(await ask({ query: 'select 1 where false' })).toMatchObject({ verdict: 'failed', message: 'the query gives no row' })
    expect(await ask({ query: 'select id from orders', max: 5 })).toMatchObject({ verdict: 'failed', message: 'the query gives more than one row' })
    expect(await ask({ query: 'table orders limit 1' })).toMatchObject({ verdict: 'passed', value: 1 })
    expect(await ask({ query: `select 'ready' as state`, equals: 'ready' })).toMatchObject({ verdict: 'passed', message: 'state is as expected' })
    for (const query of ['select note from orders limit 1', 'select note::int from orders', 'select 1 / (id - id) from orders']) {
      const sample = await ask({ query, equals: 'x' })
      expect(sample.verdict).toBe('failed')
      expect(JSON.stringify({ ...sample, target: '' })).not.toContain('canary')
    }
  })

  test('holds rows against an expression, documents among them', async () => {
    const query = `select id, note, jsonb_build_object('size', id) as document from orders order by id`
    expect(await ask({ query, rows: { cel: 'rows.size() == 3 && rows.all(row, row.document.size == row.id)' } })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true })
    const failed = await ask({ query, rows: { cel: 'rows.exists(row, row.note == null)' } })
    expect(failed).toMatchObject({ verdict: 'failed', value: false, threshold: 'rows.exists(row, row.note == null)', message: 'what the query gives is not as the expression says' })
    expect(JSON.stringify(failed)).not.toContain('canary')
    expect(await ask({ query, rows: { cel: 'rows.all(row, row.id > 0)', most: 2 } })).toMatchObject({ verdict: 'unknown', message: 'the query gives more than 2 rows, and no more are read' })
    expect(await ask({ query: 'select 1 where false', rows: { cel: 'rows.size() == 0' } })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ query, rows: { cel: 'rows[0].id' } })).toMatchObject({ verdict: 'unknown' })
  })

  test.each([
    ['select 1; drop table orders'],
    ['drop table orders'],
    ['delete from orders returning id'],
    ['with gone as (delete from orders returning id) select count(*) from gone'],
    ['select 1; commit; drop table orders'],
    ['create table x (a int)'],
    ['commit'],
    ['set transaction read write'],
    ["select nextval('s')"],
    ['select id from orders limit 1 for update'],
    ['selec 1'],
    [''.padEnd(20, '(')],
  ])('changes nothing: %s', async (query) => {
    await admin.query('create sequence if not exists s')
    expect((await ask({ query })).verdict).toMatch(/^(unknown|failed)$/)
    expect((await admin.query('select count(*)::int as n from orders')).rows).toEqual([{ n: 3 }])
    expect((await admin.query("select is_called from s")).rows).toEqual([{ is_called: false }])
  })

  test('fails on what the database lacks, and does not know what is no reading statement', async () => {
    expect(await ask({ query: 'select 1 from nosuch' })).toMatchObject({ verdict: 'failed', message: 'orders-db: relation "nosuch" does not exist' })
    expect(await ask({ query: 'drop table orders' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('the statement is none that reads') })
  })

  test('reads no more than it needs', async () => {
    expect(await ask({ query: 'with recursive t (n) as (select 1 union all select n + 1 from t) select n from t' })).toMatchObject({ verdict: 'failed', message: 'the query gives more than one row' })
    expect(await ask({ query: `select repeat('x', 20000000)` })).toMatchObject({ verdict: 'failed', message: 'orders-db answers with more than is read' })
  })

  test('stops a query on the server when its time is over', async () => {
    const sample = await ask({ query: 'select 1 from pg_sleep(30) -- the slow one' }, { ms: 400 })
    expect(sample).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^query: timed out after 0\.\d s$/) })
    const running = async (): Promise<boolean> => (await admin.query("select 1 from pg_stat_activity where application_name = 'plumbline-probe' and state = 'active'")).rows.length > 0
    await eventually(async () => !(await running()))
    expect(await running()).toBe(false)
  })

  test('leaves no connection behind', async () => {
    await Promise.all(Array.from({ length: 5 }, () => ask({ query: 'select 1', max: 1 })))
    const left = async (): Promise<number> => (await admin.query("select 1 from pg_stat_activity where application_name = 'plumbline-probe'")).rows.length
    await eventually(async () => (await left()) === 0)
    expect(await left()).toBe(0)
  })

  test('fails where the database does not answer', async () => {
    const port = await closedPort()
    expect(await ask({}, { to: `postgres://u:hush-hush@127.0.0.1:${port}/db` })).toMatchObject({ verdict: 'failed', message: 'connection refused by orders-db' })
    const silent = await startTcp(() => {})
    expect(await ask({}, { to: `postgres://u:hush-hush@127.0.0.1:${silent.port}/db`, ms: 200 })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^connection: timed out/) })
    await silent.stop()
    for (const said of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'R\0\0\0\x08\0\0\0\x63', '']) {
      const liar = await startTcp((socket) => socket.end(said))
      expect((await ask({}, { to: `postgres://u:hush-hush@127.0.0.1:${liar.port}/db`, ms: 1_000 })).verdict).toBe('failed')
      await liar.stop()
    }
    const { key, cert } = selfSigned()
    const secret = await startTcp((socket) =>
      socket.once('data', () => {
        socket.write('S')
        new TLSSocket(socket, { isServer: true, key, cert }).on('error', () => {}).write('R\0\0\0\x08\0\0\0\x63')
      }),
    )
    expect(await ask({}, { to: `postgres://u:hush-hush@127.0.0.1:${secret.port}/db?sslmode=no-verify` })).toMatchObject({ verdict: 'failed', message: 'orders-db does not answer as PostgreSQL does' })
    expect(await ask({}, { to: `postgres://u:hush-hush@127.0.0.1:${secret.port}/db?sslmode=verify-full` })).toMatchObject({ verdict: 'failed', message: expect.stringContaining('not signed by an authority') })
    await secret.stop()
    expect(await ask({}, { to: `${url}?sslmode=verify-full` })).toMatchObject({ verdict: 'failed', message: 'orders-db does not speak TLS' })
    expect(await ask({}, { to: url.replace(/\/[^/]*$/, '/nosuch') })).toMatchObject({ verdict: 'failed', message: 'orders-db: database "nosuch" does not exist' })
  })

  test('does not know what it cannot ask, and never tells the password', async () => {
    const wrong = url.replace(/:[^:@/]*@/, ':hush-hush@')
    const samples = [
      await ask({}, { to: wrong }),
      await ask({}, { to: 'hush-hush' }),
      await ask({}, { to: 'postgres://u:hush-hush@%%/db' }),
      await ask({}, { to: 'postgres://u:hush-hush@169.254.169.254/db' }),
      await ask({}, { to: 'postgres://u:hush-hush@nobody.invalid/db' }),
      await ask({}, { to: 'redis://u:hush-hush@127.0.0.1/db' }),
    ]
    expect(samples.map(({ verdict }) => verdict)).toEqual(samples.map(() => 'unknown'))
    expect(samples[0]?.message).toBe('orders-db does not take the user or the password')
    expect(JSON.stringify(samples)).not.toContain('hush')
  })

  test('connects to what was resolved and checked, and resolves nothing again', async () => {
    const clients = { reach: { ...reachTo({}), resolve: async () => ['::1', '127.0.0.1'] }, sqlUrl: async () => url.replace('127.0.0.1', 'pinned.invalid'), cel: cel.evaluate }
    expect(await sql.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(5_000) }, { target: 'orders-db', query: 'select 1', max: 1 })).toMatchObject({ verdict: 'passed' })
  })

  test('does not know where there are no credentials', async () => {
    const sqlUrl = async (): Promise<string> => {
      throw new Failure({ code: 'secret-not-found', subject: 'vault:x', message: 'there is no secret vault:x' })
    }
    const sample = await sql.sample({ clients: { reach: reachTo({}), sqlUrl, cel: cel.evaluate }, clock: systemClock, signal: AbortSignal.timeout(5_000) }, sql.schema.parse({ target: 'orders-db' }))
    expect(sample).toMatchObject({ verdict: 'unknown', message: 'there is no secret vault:x' })
  })

  test('takes no rule without a query', () => {
    expect(sql.schema.safeParse({ target: 'orders-db', max: 1 }).success).toBe(false)
  })
})
