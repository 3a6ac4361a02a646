import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#lib/clock.ts'
import { urlOf, type Address } from './ask.ts'
import { startHeartbeat } from './heartbeat.ts'
import { keepPasswords, writePrivate } from './passwords.ts'
import { replicator, superuser, type PostgresServer } from './postgres-server.ts'
import type { PostgresOwner } from './programs.ts'
import { ReplicatedPostgres } from './replicated-postgres.ts'

type OrdersDatabaseOptions = {
  /** The servers' data. */
  readonly dir: string
  /** Where the connection URLs are written, one a file of mode 0600: what `secretRef: file:…` of the environment's targets names. */
  readonly credentials: string
  readonly bin: string
  readonly owner: PostgresOwner
  readonly primaryAt: Address
  readonly replicaAt: Address
  readonly clock: Clock
}

const database = 'orders'
const owner = 'orders_owner'
const roles = { [owner]: 'migrates', orders_app: 'reads and writes', orders_probe: 'reads, and sees the server’s statistics', orders_failover: 'promotes a replica' }
const migrations = fileURLToPath(import.meta.resolve('#playground/example/repositories/orders/database'))

/** Production's database of orders: a primary and a replica that streams from it, with a table of orders and a heartbeat that is written every second. */
export class OrdersDatabase {
  readonly servers: ReplicatedPostgres
  readonly #options: OrdersDatabaseOptions
  #stopHeartbeat = async (): Promise<void> => {}

  constructor(options: OrdersDatabaseOptions) {
    this.#options = options
    const passwords = keepPasswords(join(options.credentials, 'orders-passwords.json'), [superuser, replicator, ...Object.keys(roles)])
    this.servers = new ReplicatedPostgres({ ...options, name: database, passwords, found: (primary) => foundOrders(primary, passwords) })
    const login = (user: string, at: Address): string => `${urlOf({ ...at, user, password: passwords[user] ?? '', database })}\n`
    writePrivate(join(options.credentials, 'orders-db'), login('orders_probe', options.primaryAt))
    writePrivate(join(options.credentials, 'orders-db-replica'), login('orders_probe', options.replicaAt))
    writePrivate(join(options.credentials, 'orders-db-failover'), login('orders_failover', options.replicaAt))
    writePrivate(join(options.credentials, 'orders-db-app'), login('orders_app', options.primaryAt))
    writePrivate(join(options.credentials, 'orders-db-owner'), login(owner, options.primaryAt))
  }

  async start(): Promise<void> {
    await this.servers.start()
    this.#stopHeartbeat = startHeartbeat(this.servers.primary, database, this.#options.clock)
  }

  async stop(): Promise<void> {
    // The server first: a heartbeat that is under way ends with it, also where it hangs.
    await this.servers.stop()
    await this.#stopHeartbeat()
  }

  /** As it was at first; the passwords stay. */
  async reset(): Promise<void> {
    await this.stop()
    await this.servers.destroy()
    await this.start()
  }
}

/** The roles, and the schema as the orders team's migrations make it, in their order. */
async function foundOrders(primary: PostgresServer, passwords: Readonly<Record<string, string>>): Promise<void> {
  await primary.ask(async (ask) => {
    for (const role of Object.keys(roles)) {
      const [known] = await ask('select 1 from pg_roles where rolname = $1', [role])
      if (known === undefined) await ask(`create role ${role} login password '${passwords[role]}'`)
    }
    await ask('grant pg_monitor to orders_probe')
    await ask(`drop database if exists ${database}`)
    await ask(`create database ${database} owner ${owner}`)
  })
  await primary.ask(async (ask) => {
    await ask('grant execute on function pg_promote(boolean, integer) to orders_failover')
    await ask(`set role ${owner}`)
    for (const file of readdirSync(migrations).filter((name) => name.endsWith('.sql')).sort()) await ask(readFileSync(join(migrations, file), 'utf8'))
    await ask(seed)
  }, database)
}

/** The same thousand orders everywhere. */
const seed = `
insert into orders (id, customer, placed_at, total_cents, currency, status)
select number, 'customer-' || (1 + number * 7919 % 211), timestamptz '2026-10-01 08:00Z' + number * interval '47 minutes',
       500 + number * 104729 % 24500, 'EUR', case when number % 10 = 0 then 'returned' else 'delivered' end
from generate_series(1, 1000) as number;
insert into order_items (order_id, line, article, quantity, price_cents)
select id, 1, 'article-' || (1 + id * 31 % 97), 1, total_cents from orders;
select setval(pg_get_serial_sequence('orders', 'id'), 1000)`
