import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { addressFor } from '#playground/databases/addresses.ts'
import { OrdersDatabase } from '#playground/databases/orders-database.ts'
import { findPostgres } from '#playground/databases/programs.ts'
import { preparePostgres } from '#playground/databases/runtime.ts'
import { eventually } from '../../../test/eventually.ts'
import { reachTo } from '../testing.ts'
import { sql } from './sql.ts'

const path = process.env['PATH'] ?? ''
const missing = findPostgres(path) === undefined ? ' (no PostgreSQL: neither the system’s nor npm’s)' : ''

describe.skipIf(missing !== '')(`the sql probe on a primary and its replica${missing}`, () => {
  let dir = ''
  let orders: OrdersDatabase
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-lag-'))
    const runtime = await preparePostgres(dir, path, () => {})
    if (runtime === undefined) throw new Error('PostgreSQL could not be prepared')
    const [primaryAt, replicaAt] = await Promise.all([addressFor('127.202.3.1'), addressFor('127.202.3.255')])
    orders = new OrdersDatabase({ ...runtime, dir: join(runtime.dir, 'orders'), credentials: join(dir, 'credentials'), primaryAt, replicaAt, clock: systemClock })
    await orders.servers.start() // without its heartbeat: nothing is written but by these tests
  })
  afterAll(async () => {
    await orders?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const onReplica = async (text: string): Promise<unknown> => orders.servers.replica?.ask((ask) => ask(text))
  const onPrimary = (text: string): Promise<unknown> => orders.servers.primary.ask((ask) => ask(text), 'orders')
  const credential = (name: string): URL => new URL(readFileSync(join(dir, 'credentials', name), 'utf8').trim())
  async function ask(config: object, as: 'probe' | 'app' = 'probe'): Promise<Sample> {
    const { username, password } = credential(as === 'app' ? 'orders-db-app' : 'orders-db')
    const sqlUrl = async (target: string): Promise<string> => Object.assign(credential(target), { username, password }).href
    const clients = { reach: reachTo({}), sqlUrl, cel: async () => true }
    return sql.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(10_000) }, sql.schema.parse({ target: 'orders-db-replica', ...config }))
  }
  const lag = { primary: 'orders-db', max: '10s', warn: '5s' }

  test('tells a primary from a replica by a write, with the rights of a role that reads', async () => {
    expect(await ask({ target: 'orders-db', writes: true })).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true, threshold: 'accepts writes', message: 'accepts writes' })
    expect(await ask({ writes: true })).toMatchObject({ verdict: 'failed', value: false, message: 'orders-db-replica accepts no writes: it is in recovery, as replicas are' })
    expect(await ask({ target: 'orders-db', writes: { table: 'orders', column: 'status' } })).toMatchObject({ verdict: 'unknown', message: 'orders-db: permission denied for table orders' })
    expect(await ask({ target: 'orders-db', writes: { table: 'public.orders', column: 'status' } }, 'app')).toMatchObject({ verdict: 'passed', message: 'accepts writes to public.orders' })
  })

  test('does not know where others have locked every row that it could write', async () => {
    await orders.servers.primary.ask(async (locking) => {
      await locking('begin')
      await locking('select 1 from orders for update')
      expect(await ask({ target: 'orders-db', writes: { table: 'public.orders', column: 'status' } }, 'app')).toMatchObject({ verdict: 'unknown', message: 'no row of public.orders could be written: others have locked what there is' })
      await locking('rollback')
    }, 'orders')
  })

  test('sees a primary that was made read only', async () => {
    await onPrimary('alter role orders_probe set default_transaction_read_only = on')
    expect(await ask({ target: 'orders-db', writes: true })).toMatchObject({ verdict: 'failed', message: 'orders-db accepts no writes: its transactions are read only' })
    await onPrimary('alter role orders_probe reset default_transaction_read_only')
  })

  test('finds no lag on an idle replica that lacks nothing, however long ago anything was written', async () => {
    await onPrimary('update replication_heartbeat set at = now()')
    await eventually(async () => (await ask({ query: 'select extract(epoch from now() - pg_last_xact_replay_timestamp()) as age', min: 1.2 })).verdict === 'passed')
    const idle = { primary: 'orders-db', max: '1s', maxBytes: 0 }
    expect(await ask({ lag: idle })).toMatchObject({ signal: 'latency', verdict: 'passed', unit: 's', target: 'lag of orders-db-replica behind orders-db', threshold: '<= 1 s, <= 0 bytes' })
    expect(await ask({ lag: { max: '1s' } })).toMatchObject({ verdict: 'passed' })
  })

  test('measures a paused replica by what it has not replayed, and warns of the pause before', async () => {
    await onReplica('select pg_wal_replay_pause()')
    await eventually(async () => (await ask({ lag })).verdict === 'warned')
    expect(await ask({ lag })).toMatchObject({ verdict: 'warned', message: expect.stringMatching(/^replica lag [\d.]+ s, and its replay is paused$/) })
    const behind = { primary: 'orders-db', max: '1s', maxBytes: 100_000_000 }
    // The newest transaction that was replayed is more than a second old: only the next one tells for how long the replica is behind.
    await eventually(async () => (await ask({ query: 'select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) as age', min: 1.5 })).verdict === 'passed')
    await onPrimary('update replication_heartbeat set at = now()')
    expect(await ask({ lag: behind })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^the replica lag cannot be told: its newest transaction is \d+ s old, and since when there is another is not known$/) })
    await eventually(async () => (await ask({ lag: behind })).verdict === 'failed')
    expect(await ask({ lag: behind })).toMatchObject({ verdict: 'failed', unit: 's', message: expect.stringMatching(/^replica lag \d+ s, threshold 1 s$/) })
    expect(await ask({ lag: { max: '1s' } })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/since when there is another is not known: name the primary$/) })
    expect(await ask({ lag: { primary: 'orders-db', maxBytes: 0 } })).toMatchObject({ signal: 'count', verdict: 'failed', unit: 'bytes', message: expect.stringMatching(/^replica lag \d+ bytes, threshold 0 bytes$/) })
    await onReplica('select pg_wal_replay_resume()')
    await eventually(async () => (await ask({ lag })).verdict === 'passed')
  })

  test('fails on what is no replica, and on a primary that is none', async () => {
    expect(await ask({ target: 'orders-db', lag: { max: '10s' } })).toMatchObject({ verdict: 'failed', message: 'orders-db is no replica: it is not in recovery' })
    expect(await ask({ lag: { ...lag, primary: 'orders-db-replica' } })).toMatchObject({ verdict: 'failed', message: 'orders-db-replica is no primary: it is in recovery, as replicas are' })
  })

  test('does not pass a replica that receives nothing, and does not know where the primary cannot be asked', async () => {
    await orders.servers.primary.stop()
    await eventually(async () => (await ask({ lag: { max: '1s' } })).verdict === 'unknown')
    expect(await ask({ lag: { max: '1s' } })).toMatchObject({ message: 'the replica lag cannot be told: it receives nothing, and what it lacks is not known: name the primary' })
    // Without the right to see whether it receives anything, it cannot be told.
    expect(await ask({ lag: { max: '1s' } }, 'app')).toMatchObject({ verdict: 'unknown', message: 'the replica lag cannot be told: whether it receives anything may not be seen: give its role pg_monitor, or name the primary' })
    expect(await ask({ lag: { max: '1h' } }, 'app')).toMatchObject({ verdict: 'passed' })
    expect(await ask({ lag })).toMatchObject({ verdict: 'unknown', message: 'connection refused by orders-db' })
    await orders.servers.primary.start()
    await eventually(async () => (await ask({ lag: { max: '1s' } })).verdict === 'passed')
  })
})
