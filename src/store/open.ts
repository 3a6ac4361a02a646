import type { Clock } from '#lib/clock.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/registry.ts'
import { openPglite } from './pglite.ts'
import { openPostgres, type PostgresOptions } from './postgres.ts'
import type { Store } from './sql.ts'

/** Where the store is: a folder of ours (PGlite), or a PostgreSQL server. */
export type StorePlace = { readonly dir: string } | ({ readonly url: string } & PostgresOptions)

/** Opens the store and brings its shape up to date. Failures: those of `openPglite`, `openPostgres` and `migrate`. */
export async function openStore(place: StorePlace, clock: Clock): Promise<Store> {
  const store = 'dir' in place ? await openPglite(place.dir) : openPostgres(place.url, clock, place)
  try {
    await migrate(store, migrations, clock)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}
