import type { OrdersDatabase } from '#playground/databases/orders-database.ts'
import type { PostgresServer } from '#playground/databases/postgres-server.ts'
import type { ProductionDatabase } from '#playground/databases/production-database.ts'
import type { Breakage } from './breakage.ts'

/** What can be broken of production's database. */
export function databaseBreakages(database: ProductionDatabase | undefined): Breakage[] {
  return ofDatabase(database?.orders).map((breakage) => ({
    ...breakage,
    state: async () => {
      await database?.started
      return database === undefined ? 'absent' : breakage.state()
    },
  }))
}

function ofDatabase(orders: OrdersDatabase | undefined): Breakage[] {
  const servers = orders?.servers
  const { primary, replica } = { primary: servers?.primary, replica: servers?.replica }
  const promoted = async (): Promise<boolean> => replica?.isRunning === true && !(await isTrue(replica, 'select pg_is_in_recovery()'))
  return [
    {
      name: 'replication',
      does: 'pauses the replay of WAL on the replica',
      shows: 'orders-database: replica-lag warns, and fails after 10 s; reads there are old',
      state: async () => {
        if (replica?.isRunning !== true || (await promoted())) return 'absent'
        return (await isTrue(replica, 'select pg_is_wal_replay_paused()')) ? 'broken' : 'whole'
      },
      break: async () => void (await replica?.ask((ask) => ask('select pg_wal_replay_pause()'))),
      mend: async () => void (await replica?.ask((ask) => ask('select case when pg_is_in_recovery() then pg_wal_replay_resume() end'))),
    },
    {
      name: 'primary',
      does: 'stops the primary as a debugger would: it takes connections and answers nobody',
      shows: 'orders-database: connects, accepts-writes and holds-orders fail (connection: timed out after 5 s), replica-lag is unknown: the primary cannot be asked',
      state: async () => ((await primary?.answers()) === true ? 'whole' : 'broken'),
      break: async (tell) => {
        tell('stopping the primary, until it answers nobody')
        await primary?.hang()
      },
      mend: async (tell) => {
        tell('waking the primary, until it answers')
        await primary?.start()
      },
    },
    {
      name: 'replica',
      does: 'ends the replica',
      shows: 'orders-database: replica-follows and replica-lag fail (connection refused)',
      state: async () => (replica?.isRunning === true ? 'whole' : 'broken'),
      break: async (tell) => {
        tell('ending the replica')
        await replica?.stop()
      },
      mend: async (tell) => {
        tell('starting the replica, until it answers')
        await servers?.startReplica()
      },
    },
    {
      name: 'promote',
      does: 'promotes the replica: two servers take writes; mending makes it a fresh copy of the primary, and what was written to it is lost',
      shows: 'orders-database: replica-follows fails (true was expected), replica-lag too: it is no replica',
      state: async () => (replica?.isRunning !== true ? 'absent' : (await promoted()) ? 'broken' : 'whole'),
      break: async (tell) => {
        tell('promoting the replica')
        await replica?.ask((ask) => ask('select pg_promote()'))
      },
      mend: async (tell) => {
        if (await promoted()) await servers?.rebuildReplica(tell)
      },
    },
  ]
}

async function isTrue(server: PostgresServer, question: string): Promise<boolean> {
  return Object.values((await server.ask((ask) => ask(question)))[0] ?? {})[0] === true
}
