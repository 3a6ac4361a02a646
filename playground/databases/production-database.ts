import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { addressFor } from './addresses.ts'
import { OrdersDatabase } from './orders-database.ts'
import type { PostgresRuntime } from './runtime.ts'

export type ProductionDatabase = {
  readonly orders: OrdersDatabase
  /** When it has been started, or could not be (the log has said why). */
  readonly started: Promise<void>
  stop(): Promise<void>
}

/**
 * Starts production's database of orders in the background: a cluster has better things to do than to wait for it. It listens on addresses of the
 * cluster's block that neither pods nor Services are given.
 */
export async function openProductionDatabase(runtime: PostgresRuntime, block: string, credentials: string, clock: Clock, log: (line: string) => void): Promise<ProductionDatabase> {
  const [a, b, c] = block.split('.')
  const services = `${a}.${b}.${Number(c) + 1}`
  const [primaryAt, replicaAt] = await Promise.all([addressFor(`${services}.1`), addressFor(`${services}.255`)])
  const orders = new OrdersDatabase({ ...runtime, dir: join(runtime.dir, 'orders'), credentials, primaryAt, replicaAt, clock })
  const started = orders.start().catch((error: unknown) => log(`production: the database of orders did not start: ${error instanceof Error ? error.message : String(error)}`))
  return {
    orders,
    started,
    stop: async () => {
      await started
      await orders.stop()
    },
  }
}
