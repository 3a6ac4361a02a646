import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCel } from '#lib/cel.ts'
import { systemClock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { issue } from '../../../test/certificates.ts'
import { eventually } from '../../../test/eventually.ts'
import { mariadbMissing, mariadbTemplate, startMariadb, urlAs } from '../../../test/mariadb.ts'
import type { MariadbServer } from '../../../test/mariadb.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { sql } from './sql.ts'

const missing = mariadbMissing()

const cel = openCel({ timeoutMs: 1_000 })
const authority = issue({ commonName: 'authority', isAuthority: true })
let template: Awaited<ReturnType<typeof mariadbTemplate>> | undefined
let primary: MariadbServer
let replica: MariadbServer
let probe = ''
let onReplica = ''
if (missing === undefined) {
  beforeAll(async () => {
    template = await mariadbTemplate()
    const started = await Promise.all([startMariadb(template, ['--server-id=1', '--log-bin=bin'], issue({ commonName: 'db', names: ['localhost'], issuer: authority })), startMariadb(template, ['--server-id=2', '--read-only=1', '--slave-net-timeout=2'])])
    ;[primary, replica] = started
    // What was written before is in both, by the template.
    await primary.ask(
      `create user probe@'127.0.0.1' identified by 'hush-hush'`,
      'create database shop',
      'create table shop.orders (id int, note text)',
      `insert into shop.orders values (1, 'canary-note'), (2, 'canary-note'), (3, null)`,
      'create table shop.heartbeat (id int primary key, at datetime)',
      'insert into shop.heartbeat values (1, now())',
      'create table shop.closed (id int primary key)',
      'insert into shop.closed values (1)',
      `grant select on shop.* to probe@'127.0.0.1'`,
      `grant update on shop.heartbeat to probe@'127.0.0.1'`,
      `grant binlog monitor, slave monitor on *.* to probe@'127.0.0.1'`,
      `create user replicator@'127.0.0.1' identified by 'x'`,
      `grant replication slave on *.* to replicator@'127.0.0.1'`,
    )
    const [first] = await primary.ask('show binary logs')
    await replica.ask(`change master to master_host = '127.0.0.1', master_port = ${primary.port}, master_user = 'replicator', master_password = 'x', master_log_file = '${String(first?.['Log_name'])}', master_log_pos = 4, master_connect_retry = 1`, 'start slave')
    ;[probe, onReplica] = started.map(({ port }) => urlAs('probe', 'hush-hush', port, 'shop')) as [string, string]
    await eventually(async () => (await replica.ask('select 1 from shop.closed').catch(() => [])).length > 0)
  })
  afterAll(async () => {
    await cel.close()
    await Promise.all([primary?.stop(), replica?.stop()])
    template?.remove()
  })
}

conformance(
  sql,
  async () => {
    const web = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const question = (query: string, url = probe) => ({ clients: { reach: reachTo({}), sqlUrl: async () => url, cel: async () => true }, config: { target: 'orders-db', query, max: 10 } })
    return {
      passing: question('select 5 as lag'),
      failing: question('select 47 as lag'),
      hanging: question('select sleep(20)'),
      refusing: question('select 5 as lag', `mysql://user:${canary}@127.0.0.1:${await closedPort()}/shop`),
      lying: question('select 5 as lag', `mysql://user:${canary}@127.0.0.1:${web.port}/shop`),
      slow: question(`select 5 + sleep(${slowMs / 1000}) as lag`),
      stop: web.stop,
    }
  },
  missing,
)

describe.skipIf(missing !== undefined)(`the sql probe on MariaDB${missing === undefined ? '' : ` (${missing})`}`, () => {
  async function ask(config: object, { to = probe, ms = 10_000 } = {}): Promise<Sample> {
    const urls: Record<string, string> = { 'orders-db': to, primary: probe, replica: onReplica }
    const clients = { reach: reachTo({}), sqlUrl: async (name: string) => urls[name] ?? '', cel: cel.evaluate }
    return sql.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, sql.schema.parse({ target: 'orders-db', ...config }))
  }

  test('connects, and holds a value against its rules', async () => {
    expect(await ask({})).toMatchObject({ signal: 'reachability', verdict: 'passed', value: true, message: 'connected' })
    expect(await ask({ query: 'select 47 as replica_lag', max: 10, warn: 5, unit: 's' })).toMatchObject({ verdict: 'failed', value: 47, unit: 's', message: 'replica lag 47 s, threshold 10 s' })
    expect(await ask({ query: 'select count(*) as orders from orders -- all', min: 1 })).toMatchObject({ verdict: 'passed', value: 3, message: 'orders 3' })
    expect(await ask({ query: 'select @@read_only = 0', equals: true })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true })
    expect(await ask({ query: 'select 1.5 + 1', max: 2 })).toMatchObject({ verdict: 'failed', value: 2.5, message: 'the value 2.5, threshold 2' })
    expect(await ask({ query: 'select null as x', max: 1 })).toMatchObject({ verdict: 'failed', message: 'x is null, expected a number' })
    expect(await ask({ query: 'with t as (select id from orders) select max(id) as most from t', equals: 3 })).toMatchObject({ verdict: 'passed' })
  })

  test('holds rows against an expression, and says nothing of rows that it has not read', async () => {
    const query = 'select id, note from orders'
    expect(await ask({ query, rows: { cel: 'rows.all(row, row.id > 0) && rows.exists(row, row.note == null)' } })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true })
    expect(await ask({ query, rows: { cel: 'rows.all(row, row.note != null)' } })).toMatchObject({ verdict: 'failed', value: false, message: 'what the query gives is not as the expression says' })
    expect(await ask({ query, rows: { cel: 'rows.all(row, row.id > 0)', most: 2 } })).toMatchObject({ verdict: 'unknown', message: 'the query gives more than 2 rows, and no more are read' })
  })

  test('repeats no text that it read', async () => {
    for (const query of ['select note from orders limit 1', "select cast(note as int) from orders limit 1", 'select extractvalue(1, concat(0x5c, note)) from orders limit 1']) {
      const sample = await ask({ query, equals: 'x' })
      expect(sample.verdict).toBe('failed')
      expect(JSON.stringify({ ...sample, target: '' })).not.toContain('canary')
    }
  })

  test.each([
    ['delete from heartbeat'],
    ['update heartbeat set at = now()'],
    ['select 1) as a; delete from heartbeat; -- '],
    ['select 1) as a; commit; delete from heartbeat; select (1'],
    ['create table x (a int)'],
    ['commit'],
    ["select 1 into outfile '/tmp/plumbline-canary'"],
    ["select 1) as a into outfile '/tmp/plumbline-canary' -- "],
    ['/*! delete from heartbeat */'],
    ['selec 1'],
  ])('changes nothing: %s', async (query) => {
    const [before] = await primary.ask('select at from shop.heartbeat')
    expect((await ask({ query }, { to: probe })).verdict).toMatch(/^(unknown|failed)$/)
    expect(await primary.ask('select at from shop.heartbeat')).toEqual([before])
  })

  test('does not know what is no reading statement, or not allowed, and fails on what the database lacks', async () => {
    expect(await ask({ query: 'delete from orders' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('the statement is none that reads') })
    expect(await ask({ query: 'select 1 from mysql.global_priv' })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('denied') })
    expect(await ask({ query: 'select 1 from nosuch' })).toMatchObject({ verdict: 'failed', message: expect.stringContaining("nosuch' doesn't exist") })
    expect(await ask({}, { to: `${probe}x` })).toMatchObject({ verdict: 'unknown', message: 'orders-db does not take the user or the password' })
  })

  test('stops a query on the server when its time is over', async () => {
    expect(await ask({ query: 'select sleep(30) as slow_one' }, { ms: 400 })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^query: timed out after 0\.\d s$/) })
    const running = async (): Promise<boolean> => (await primary.ask(`select 1 from information_schema.processlist where info like '%slow_one%' and info not like '%processlist%'`)).length > 0
    await eventually(async () => !(await running()))
    expect(await running()).toBe(false)
  })

  test('reads no more than a MiB, and leaves no connection behind', async () => {
    expect(await ask({ query: `select repeat('x', 5000000) as x` })).toMatchObject({ verdict: 'failed', message: 'orders-db answers with more than is read' })
    await eventually(async () => (await primary.ask(`select 1 from information_schema.processlist where user = 'probe'`)).length === 0)
  })

  test('fails where the database does not answer, or is none', async () => {
    expect(await ask({}, { to: urlAs('u', 'hush-hush', await closedPort()) })).toMatchObject({ verdict: 'failed', message: 'connection refused by orders-db' })
    replica.hang()
    expect(await ask({}, { to: onReplica, ms: 200 })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^connection: timed out/) })
    replica.goOn()
    for (const said of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\x05\0\0\0\xffgarbage', 'x'.repeat(70_000), '']) {
      const liar = await startTcp((socket) => socket.end(said))
      const sample = await ask({}, { to: urlAs('u', 'hush-hush', liar.port), ms: 1_000 })
      expect(sample).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/does not answer as MySQL does|closed the connection|timed out/) })
      await liar.stop()
    }
    expect(await ask({}, { to: `${onReplica}?ssl-mode=VERIFY_IDENTITY` })).toMatchObject({ verdict: 'failed', message: 'orders-db does not speak TLS' })
    expect(await ask({}, { to: probe.replace(/shop$/, 'nosuch') })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('does not take the user or the password') })
  })

  test('speaks TLS as its URL says, with a certificate that holds', async () => {
    const ca = join(primary.folder, 'ca.pem')
    writeFileSync(ca, authority.cert)
    const byName = probe.replace('127.0.0.1', 'localhost')
    const cipher = { query: `select variable_value from information_schema.session_status where variable_name = 'ssl_cipher'`, rows: { cel: 'rows[0].variable_value != ""' } }
    expect(await ask(cipher)).toMatchObject({ verdict: 'failed' })
    for (const to of [`${probe}?ssl-mode=REQUIRED`, `${probe}?ssl-mode=VERIFY_CA&ssl-ca=${ca}`, `${byName}?ssl-mode=verify_identity&ssl-ca=${ca}`]) expect(await ask(cipher, { to })).toMatchObject({ verdict: 'passed' })
    expect(await ask({}, { to: `${byName}?ssl-mode=VERIFY_IDENTITY` })).toMatchObject({ verdict: 'failed', message: 'TLS with orders-db failed: the certificate is not signed by an authority that is trusted here' })
    expect(await ask({}, { to: `${probe}?ssl-mode=VERIFY_IDENTITY&ssl-ca=${ca}` })).toMatchObject({ verdict: 'failed', message: 'TLS with orders-db failed: the certificate is for another name' })
  })

  test('does not know what it cannot ask, and never tells the password', async () => {
    const samples = [
      await ask({}, { to: 'mysql://u:hush-hush@169.254.169.254/db' }),
      await ask({}, { to: 'mysql://u:hush-hush@nobody.invalid/db' }),
      await ask({}, { to: 'mysql://u:hush-hush%zz@127.0.0.1/db' }),
      await ask({}, { to: `${probe}?ssl-mode=nosuch` }),
      await ask({}, { to: `${probe}?ssl-mode=VERIFY_CA&ssl-ca=/nosuch/hush-hush` }),
    ]
    expect(samples.map(({ verdict }) => verdict)).toEqual(samples.map(() => 'unknown'))
    expect(JSON.stringify(samples)).not.toContain('hush')
  })

  test('tells a primary from what takes no writes', async () => {
    expect(await ask({ writes: true })).toMatchObject({ signal: 'boolean', verdict: 'unknown', target: 'write to orders-db', message: 'read_only is off, and no table is named that could be written: name a table and a column' })
    expect(await ask({ writes: { table: 'shop.heartbeat', column: 'at' } })).toMatchObject({ verdict: 'passed', message: 'accepts writes to shop.heartbeat' })
    expect(await ask({ writes: true }, { to: onReplica })).toMatchObject({ verdict: 'failed', value: false, message: 'orders-db accepts no writes: read_only is on' })
    expect(await ask({ writes: { table: 'closed', column: 'id' } })).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('denied') })
  })

  test('measures how far a replica is behind', async () => {
    const lag = { primary: 'primary', max: '10s', warn: '5s', maxBytes: 1_000_000 }
    const measured = (more: object = {}): Promise<Sample> => ask({ target: 'replica', lag: { ...lag, ...more } })
    await primary.ask('update shop.heartbeat set at = now()')
    expect(await measured()).toMatchObject({ signal: 'latency', verdict: 'passed', unit: 's', target: 'lag of replica behind primary', threshold: '<= 10 s, warns above 5 s, <= 1000000 bytes' })
    // Rotated, and nothing in the new log.
    await primary.ask('flush logs')
    expect(await measured({ maxBytes: 0 })).toMatchObject({ verdict: 'passed' })
    expect(await ask({ target: 'primary', lag })).toMatchObject({ verdict: 'failed', message: 'primary is no replica' })
    expect(await ask({ target: 'replica', lag: { maxBytes: 5 } })).toMatchObject({ signal: 'count', verdict: 'unknown', message: 'the replica lag in bytes cannot be told without its primary' })
  })

  test('sees what a replica has not carried out, and that it has stopped', async () => {
    const lag = { primary: 'primary', max: '1s' }
    // Applied a minute late, as `master_delay` is for: received, and not carried out.
    await replica.ask('stop slave', 'change master to master_delay = 60', 'start slave')
    await primary.ask(`insert into shop.orders values (4, repeat('y', 1000))`)
    const behind = await eventually(async () => {
      const sample = await ask({ target: 'replica', lag })
      return typeof sample.value === 'number' && sample.verdict === 'failed' ? sample : undefined
    })
    expect(behind).toMatchObject({ value: expect.any(Number), unit: 's', message: expect.stringMatching(/^replica lag \d+ s, threshold 1 s$/) })
    expect(await ask({ target: 'replica', lag: { primary: 'primary', maxBytes: 100 } })).toMatchObject({ signal: 'count', verdict: 'failed', unit: 'bytes', message: expect.stringMatching(/^replica lag \d+ bytes, threshold 100 bytes$/) })
    await replica.ask('stop slave sql_thread')
    expect(await ask({ target: 'replica', lag })).toMatchObject({ verdict: 'failed', message: 'replica does not replicate: receiving yes, applying no' })
    await replica.ask('stop slave', 'change master to master_delay = 0', 'start slave')
    await eventually(async () => (await ask({ target: 'replica', lag })).verdict === 'passed')
  })

  test('does not know how far behind it is where the primary cannot be asked', async () => {
    const clients = { reach: reachTo({}), sqlUrl: async (name: string) => (name === 'replica' ? onReplica : urlAs('u', 'hush-hush', await closedPort())), cel: cel.evaluate }
    const sample = await sql.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(5_000) }, sql.schema.parse({ target: 'replica', lag: { primary: 'gone', max: '10s' } }))
    expect(sample).toMatchObject({ verdict: 'unknown', message: 'connection refused by gone' })
  })
})
