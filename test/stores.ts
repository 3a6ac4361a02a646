import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { systemClock, type Clock } from '#lib/clock.ts'
import { openStore, type StorePlace } from '#store/open.ts'
import type { Store } from '#store/sql.ts'
import { layEmptyStore } from './empty-store.ts'
import { postgresMissing, startPostgres } from './postgres.ts'

/** An empty place for a store, of one kind: a folder, or a database on a real server. `stop` removes it. */
export async function emptyPlace(kind: Store['kind']): Promise<{ readonly place: StorePlace; readonly stop: () => Promise<void> }> {
  if (kind === 'postgres') {
    const { url, stop } = await startPostgres()
    return { place: { url }, stop }
  }
  const dir = await mkdtemp(join(tmpdir(), 'plumbline-store-'))
  return { place: { dir }, stop: () => rm(dir, { recursive: true, force: true }) }
}

export type Fixture = {
  readonly kind: Store['kind']
  /** The place of this suite; the same at each call. */
  readonly place: () => Promise<StorePlace>
  /** A store that is open, migrated and shared by the suite; closed after it. */
  readonly store: () => Promise<Store>
  /** One more opening of the same place, for a server; of a folder of its own, for PGlite, which has one opener only. */
  readonly open: (clock?: Clock) => Promise<Store>
}

/** The same tests on PGlite and on a real PostgreSQL server; the latter are skipped, with the reason in their name, where there is none. */
export function describeStores(name: string, suite: (fixture: Fixture) => void): void {
  for (const kind of ['pglite', 'postgres'] as const) {
    const missing = kind === 'postgres' ? postgresMissing() : undefined
    describe.skipIf(missing !== undefined)(`${name}, on ${kind}${missing === undefined ? '' : ` (${missing})`}`, () => {
      const undo: (() => Promise<void>)[] = []
      let placed: Promise<StorePlace> | undefined
      let opened: Promise<Store> | undefined
      const take = async (): Promise<StorePlace> => {
        const { place, stop } = await emptyPlace(kind)
        undo.push(stop)
        if ('dir' in place) layEmptyStore(place.dir)
        return place
      }
      const openAt = async (place: StorePlace, clock: Clock): Promise<Store> => {
        const store = await openStore(place, clock)
        undo.push(() => store.close())
        return store
      }
      const place = (): Promise<StorePlace> => (placed ??= take())
      suite({
        kind,
        place,
        store: () => (opened ??= place().then((at) => openAt(at, systemClock))),
        open: async (clock = systemClock) => openAt(kind === 'pglite' ? await take() : await place(), clock),
      })
      afterAll(async () => {
        for (const step of undo.toReversed()) await step()
      })
    })
  }
}
