import { expect, test } from 'vitest'
import { describeStores } from '../../test/stores.ts'
import { eventually } from '../../test/eventually.ts'
import { checkChannel, textArray, type Store } from './sql.ts'

describeStores('A store', ({ store: shared, kind }) => {
  test('reads back what was written, by the one rule', async () => {
    const store = await shared()
    const at = new Date('2026-02-03T04:05:06.789Z')
    const [row] = await store.query(
      `select $1::text as text, $2::bigint as big, $3::int as int, $4::float8 as float, $5::boolean as yes, $6::timestamptz as at, $7::jsonb as object,
              $8::jsonb as list, $9::bytea as bytes, $10::text[] as texts, $11::jsonb as word, $12::text as nothing, 1.50::numeric as exact, array[1, null]::bigint[] as bigs`,
      ["it's $1 \\ 'ü' \u{1f600}", 2 ** 53 - 1, -7, 0.1, true, at, { a: [1, { b: null }] }, ['x', 2], new Uint8Array([0, 255]), textArray(['a,b', 'c"d\\e', '', 'NULL']), JSON.stringify('word'), undefined],
    )
    expect(row).toEqual({
      text: "it's $1 \\ 'ü' \u{1f600}",
      big: 2 ** 53 - 1,
      int: -7,
      float: 0.1,
      yes: true,
      at: at.getTime(),
      object: { a: [1, { b: null }] },
      list: ['x', 2],
      bytes: new Uint8Array([0, 255]),
      texts: ['a,b', 'c"d\\e', '', 'NULL'],
      word: 'word',
      nothing: null,
      exact: '1.50',
      bigs: [1, null],
    })
  })

  test('refuses a bigint that JavaScript would round', async () => {
    const store = await shared()
    await expect(store.query(`select 9007199254740993::bigint as big`)).rejects.toMatchObject({ code: 'store-statement' })
    expect(await store.query(`select 9007199254740993::bigint::text as big`)).toEqual([{ big: '9007199254740993' }])
  })

  test('reads times beyond the usual', async () => {
    const store = await shared()
    expect(await store.query(`select 'infinity'::timestamptz as a, '-infinity'::timestamptz as b, '1969-12-31 23:59:59.9995+00'::timestamptz as c, now() > '2020-01-01' as d`)).toEqual([
      { a: Infinity, b: -Infinity, c: -1, d: true },
    ])
  })

  test('takes hostile text as text', async () => {
    const store = await shared()
    const hostile = `'); drop table work; --`
    expect(await store.query(`select $1::text as text`, [hostile])).toEqual([{ text: hostile }])
    await expect(store.query(`select $1::text`, ['nul \0 byte'])).rejects.toMatchObject({ code: 'store-statement' })
    await expect(store.query(`select $1::jsonb`, ['{'])).rejects.toMatchObject({ code: 'store-statement' })
    const large = 'x'.repeat(4_000_000)
    expect((await store.query<{ size: number }>(`select length($1::text) as size`, [large]))[0]?.size).toBe(large.length)
  })

  test('names what went wrong, without the parameters', async () => {
    const store = await shared()
    await store.script(`create table named (id int primary key, other int constraint positive check (other > 0)); insert into named values (1, 1);`)
    await expect(store.query(`insert into named values (1, 1)`)).rejects.toMatchObject({ code: 'store-constraint', fields: { constraint: 'named_pkey' } })
    await expect(store.query(`insert into named values (2, 0)`)).rejects.toMatchObject({ code: 'store-constraint', fields: { constraint: 'positive' } })
    const failure = await store.query(`select $1::text from no_such_table`, ['canary']).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store-statement', fields: { sqlstate: '42P01' } })
    expect(JSON.stringify(failure)).not.toContain('canary')
    await expect(store.query(`select $1::int + $2::int`, [1])).rejects.toMatchObject({ code: 'store-statement' })
    await expect(store.script(`create table half (id int); select 1 / 0;`)).rejects.toMatchObject({ code: 'store-statement' })
    expect(await store.query(`select to_regclass('half') as half`)).toEqual([{ half: null }])
  })

  test('keeps all of a transaction or nothing, and goes on after either', async () => {
    const store = await shared()
    await store.query(`create table kept (id int)`)
    expect(
      await store.transaction(async (sql) => {
        await sql.query(`insert into kept values (1)`)
        return 'done'
      }),
    ).toBe('done')
    await expect(
      store.transaction(async (sql) => {
        await sql.query(`insert into kept values (2)`)
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    await expect(store.transaction((sql) => sql.query(`insert into kept values (1 / 0)`))).rejects.toMatchObject({ code: 'store-statement' })
    expect(await store.query(`select id from kept`)).toEqual([{ id: 1 }])
  })

  test('does not report a transaction as kept when one of its statements failed unseen', async () => {
    const store = await shared()
    await store.query(`create table unseen (id int)`)
    const swallowed = store.transaction(async (sql) => {
      await sql.query(`insert into unseen values (1)`)
      await sql.query(`select 1 / 0`).catch(() => {})
    })
    await expect(swallowed).rejects.toMatchObject({ code: 'store-statement' })
    const forgotten = store.transaction(async (sql) => {
      void sql.query(`insert into unseen values (1 / 0)`).catch(() => {})
      return Promise.resolve()
    })
    await expect(forgotten).rejects.toMatchObject({ code: 'store-statement' })
    expect(await store.query(`select id from unseen`)).toEqual([])
  })

  test('undoes an inner transaction alone', async () => {
    const store = await shared()
    await store.query(`create table nested (id int)`)
    await store.transaction(async (sql) => {
      await sql.query(`insert into nested values (1)`)
      await expect(
        sql.transaction(async (inner) => {
          await inner.query(`insert into nested values (2)`)
          await inner.query(`select 1 / 0`)
        }),
      ).rejects.toMatchObject({ code: 'store-statement' })
      await sql.transaction((inner) => inner.query(`insert into nested values (3)`))
    })
    expect(await store.query(`select id from nested order by id`)).toEqual([{ id: 1 }, { id: 3 }])
  })

  test('keeps concurrent transactions and statements apart', async () => {
    const store = await shared()
    await store.script(`create table counter (n int); insert into counter values (0);`)
    const add = (): Promise<void> =>
      store.transaction(async (sql) => {
        const [row] = await sql.query<{ n: number }>(`select n from counter for update`)
        await new Promise(setImmediate)
        await sql.query(`update counter set n = $1`, [(row?.n ?? 0) + 1])
      })
    const noise = Array.from({ length: 20 }, () => store.query(`select pg_current_xact_id_if_assigned() is null as alone`))
    await Promise.all([...Array.from({ length: 20 }, add), ...noise])
    expect(await store.query(`select n from counter`)).toEqual([{ n: 20 }])
    expect((await Promise.all(noise)).every(([row]) => row?.['alone'] === true)).toBe(true)
  })

  test('refuses a statement that would go past its transaction, and one that comes after its end', async () => {
    const store = await shared()
    await expect(store.transaction(() => store.query(`select 1`))).rejects.toMatchObject({ code: 'store-misuse' })
    await expect(store.transaction(() => store.transaction(() => Promise.resolve()))).rejects.toMatchObject({ code: 'store-misuse' })
    const late = await store.transaction((sql) => Promise.resolve(() => sql.query(`select 1`)))
    await expect(late()).rejects.toMatchObject({ code: 'store-misuse' })
    expect(await store.query(`select 1 as one`)).toEqual([{ one: 1 }])
  })

  test('answers an earlier statement also while a later transaction is open', async () => {
    const store = await shared()
    await store.query(`create table early (id int)`)
    const earlier = store.query(`insert into early values (1)`)
    await store.transaction(async (sql) => {
      await sql.query(`select 1`)
      await earlier
    })
    expect(await store.query(`select id from early`)).toEqual([{ id: 1 }])
  })

  test('tells listeners what a transaction notified, once it is kept, until they stop', async () => {
    const store = await shared()
    const heard: string[] = []
    const stop = await store.listen('story', (payload) => heard.push(payload))
    await store
      .transaction(async (sql) => {
        await sql.query(`select pg_notify('story', 'undone')`)
        throw new Error('no')
      })
      .catch(() => {})
    await store.transaction((sql) => sql.query(`select pg_notify('story', 'kept')`))
    await eventually(() => heard.length > 0)
    await stop()
    await store.query(`select pg_notify('story', 'late')`)
    const last: string[] = []
    await store.listen('story', (payload) => last.push(payload))
    await store.query(`select pg_notify('story', 'last')`)
    await eventually(() => last.includes('last'))
    expect(heard).toEqual(['kept'])
    await expect(store.listen('a; drop table work', () => {})).rejects.toThrow(TypeError)
    expect(() => checkChannel('Work')).toThrow(TypeError)
  })

  test('holds a session lock for one holder, and shows it to all', async () => {
    const store = await shared()
    const held = (): Promise<{ objid: number }[]> => store.query(`select objid from pg_locks where locktype = 'advisory' and classid = 77 and objsubid = 2`)
    const release = await store.holdLock(77, 1, () => {})
    await expect(store.holdLock(77, 1, () => {})).rejects.toMatchObject({ code: 'store-lock-taken' })
    expect(await held()).toEqual([{ objid: 1 }])
    await release()
    await release()
    expect(await held()).toEqual([])
    await (await store.holdLock(77, 1, () => {}))()
  })
  test(`is a ${kind} store`, async () => {
    expect((await shared()).kind).toBe(kind)
  })
})

describeStores('A closed store', ({ open }) => {
  test('refuses, and finishes what was under way', async () => {
    const store: Store = await open()
    const under = store.query(`select 1 as one`)
    const closing = store.close()
    expect(await under).toEqual([{ one: 1 }])
    await closing
    await store.close()
    await expect(store.query(`select 1`)).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(store.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'store-unavailable' })
  })
})
