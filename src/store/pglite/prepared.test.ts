import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openPglite } from '../pglite.ts'
import type { Store } from '../sql.ts'

let dir: string
let store: Store
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plumbline-prepared-'))
  await cp(inject('emptyStore'), dir, { recursive: true })
  store = await openPglite(dir)
})
afterAll(async () => {
  await store.close()
  await rm(dir, { recursive: true, force: true })
})

const plans = (text: string): Promise<{ generic: number; custom: number }[]> =>
  store.query(`select generic_plans as generic, custom_plans as custom from pg_prepared_statements where statement = $1`, [text])

test('a statement is parsed once, and planned anew when a script has changed the tables', async () => {
  await store.script(`create table grown (id int primary key, text text)`)
  const text = `select id from grown where id = $1`
  for (let times = 0; times < 8; times += 1) await store.query(text, [times])
  const [before] = await plans(text)
  expect((before?.generic ?? 0) + (before?.custom ?? 0)).toBe(8)
  await store.script(`alter table grown alter column id type bigint`)
  expect(await plans(text)).toEqual([])
  await store.query(`insert into grown values (5000000000, 'x')`)
  expect(await store.query(text, [5_000_000_000])).toEqual([{ id: 5_000_000_000 }])
})

test('a plan that was made for an empty table does not outlive its growth', async () => {
  await store.script(`create table filled (id int, text text); create index filled_id on filled (id)`)
  const text = `select text from filled where id = $1`
  for (let times = 0; times < 8; times += 1) await store.query(text, [times])
  expect(await plans(text)).toHaveLength(1)
  await store.query(`insert into filled select i, repeat('x', 200) from generate_series(1, 20000) i`)
  await store.query(`insert into filled values (0, '')`) // its flush is the one after which there is so much log
  expect(await plans(text)).toEqual([])
})

test('what fails is no statement, and the next one is answered; also inside a transaction, to its end', async () => {
  await expect(store.query(`selec 1`)).rejects.toMatchObject({ code: 'store-statement' })
  const divide = `select 1 / $1::int as one`
  expect(await store.query(divide, [1])).toEqual([{ one: 1 }])
  await expect(store.query(divide, [0])).rejects.toMatchObject({ code: 'store-statement' })
  expect(await store.query(divide, [1])).toEqual([{ one: 1 }])
  const failing = store.transaction(async (sql) => {
    await sql.query(divide, [0]).catch(() => {})
    return sql.query(divide, [1])
  })
  await expect(failing).rejects.toMatchObject({ message: expect.stringContaining('aborted') })
  expect(await store.query(divide, [1])).toEqual([{ one: 1 }])
})

test('there is an end to how many statements are kept', async () => {
  for (let at = 0; at < 620; at += 1) await store.query(`select ${at} as n`)
  const [kept] = await store.query<{ n: number }>(`select count(*) as n from pg_prepared_statements`)
  expect(kept?.n).toBeGreaterThan(50)
  expect(kept?.n).toBeLessThanOrEqual(500)
})
