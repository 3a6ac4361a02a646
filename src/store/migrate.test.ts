import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { findingOf } from '#drift/testing.ts'
import { FakeClock } from '#lib/clock.ts'
import { describeStores } from '../../test/stores.ts'
import { migrate, statements } from './migrate.ts'
import { listFindings, saveFindings } from './findings.ts'
import { traces } from './migrations/0020-traces.ts'
import type { Migration } from './migrations/migration.ts'
import { migrations } from './migrations/registry.ts'
import { openStore } from './open.ts'

const clock = new FakeClock()
/** Beyond those that the store is opened with. */
const next = (name: string, sql: string, more: readonly Migration[] = []): Migration[] => [...migrations, ...more, { version: migrations.length + more.length + 1, name, sql }]

test('the registry names every migration of the folder, in order and without gaps', async () => {
  const files = (await readdir(new URL('./migrations/', import.meta.url))).filter((file) => /^\d{4}-/.test(file)).sort()
  expect(files.length).toBeGreaterThan(0)
  expect(migrations.map(({ version, name }) => `${String(version).padStart(4, '0')}-${name}.ts`)).toEqual(files)
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
})

test('a migration is cut into statements at the ends of lines, and not inside functions', () => {
  expect(statements(`create table a (b text default ';');\ncreate function f() returns int as $body$\n  begin return 1;\n  end;\n$body$ language plpgsql;\n-- nothing more;\n`)).toHaveLength(2)
})

describeStores('Migrating', ({ open, place, kind }) => {
  test('applies each migration once, however often it is asked', async () => {
    const store = await open()
    const more = next('fruit', `create table fruit (name text);\ninsert into fruit values ('quince');`)
    await migrate(store, more, clock)
    await migrate(store, more, clock)
    expect(await store.query(`select name from fruit`)).toEqual([{ name: 'quince' }])
    expect(await store.query(`select name, applied_at from migration where version = $1`, [more.length])).toEqual([{ name: 'fruit', applied_at: clock.now() }])
    await store.script(`drop table fruit; delete from migration where name = 'fruit';`)
  })

  test('undoes a migration that fails half-way, and keeps those before it', async () => {
    const store = await open()
    const good = next('good', `create table good (id int);`)
    const bad = next('bad', `create table bad (id int);\nselect 1 / 0;`, good.slice(-1))
    await expect(migrate(store, bad, clock)).rejects.toMatchObject({ code: 'store-statement' })
    expect(await store.query(`select to_regclass('good') is not null as good, to_regclass('bad') is not null as bad`)).toEqual([{ good: true, bad: false }])
    await store.script(`drop table good; delete from migration where name = 'good';`)
  })

  test('refuses an applied migration whose text has changed, and a store that is newer', async () => {
    const store = await open()
    const more = next('first', `create table first (id int);`)
    await migrate(store, more, clock)
    await expect(migrate(store, next('first', `create table first (id bigint);`), clock)).rejects.toMatchObject({ code: 'migration-changed' })
    await expect(migrate(store, migrations, clock)).rejects.toMatchObject({ code: 'store-newer' })
    await store.script(`drop table first; delete from migration where name = 'first';`)
  })

  test('findings from before have nothing to tell of who made them so, and those after keep it', async () => {
    const store = await open()
    await saveFindings(store, [findingOf({ id: 'f-new', traces: [{ of: 'sha256:1', sought: { verbs: [], owners: [], seenAt: 1 }, write: null }] }), findingOf({ id: 'f-old', cause: 'missing' })], clock.now())
    await store.script(`update finding set body = body - 'traces' where id = 'f-old'`)
    await store.script(traces.sql)
    expect((await listFindings(store, { limit: 9 })).map(({ id, traces: kept }) => [id, kept.length]).sort()).toEqual([['f-new', 1], ['f-old', 0]])
    await store.script(`delete from finding`)
  })

  test.runIf(kind === 'postgres')('lets replicas start together', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
    await Promise.all(stores.map((store) => migrate(store, next('together', `create table together (id int);`), clock)))
    expect(await stores[0]?.query(`select count(*) as n from migration`)).toEqual([{ n: migrations.length + 1 }])
    await expect(openStore(await place(), clock)).rejects.toMatchObject({ code: 'store-newer' })
  })
})
