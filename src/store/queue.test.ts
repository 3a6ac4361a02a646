import { AsyncLocalStorage } from 'node:async_hooks'
import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { describeStores } from '../../test/stores.ts'
import { assertLease, claim, enqueue, enqueueAll, fenced, finish, giveBack, nextDue, renew, takeOver, tryAgain, workerLockSpace, type Claim } from './queue.ts'
import type { Store } from './sql.ts'

describeStores('The work queue', ({ store: shared, kind }) => {
  const clock = new FakeClock()
  let store: Store
  const claimAs = (owner: number, limit = 10, prefixes: readonly string[] = ['']): Promise<Claim[]> => claim(store, clock, { owner, prefixes, limit, leaseMs: 1_000 })
  const claimOne = async (owner = 1): Promise<Claim> => {
    const [claimed] = await claimAs(owner, 1)
    if (claimed === undefined) throw new Error('nothing to claim')
    return claimed
  }

  beforeEach(async () => {
    store = await shared()
    await store.query(`delete from work`)
  })

  test('runs a key once for many calls before it starts', async () => {
    for (let times = 0; times < 3; times += 1) await enqueue(store, clock, 'a')
    expect(await claimAs(1)).toMatchObject([{ key: 'a', gen: 3, attempts: 1 }])
    expect(await claimAs(2)).toEqual([])
  })

  test('runs a key again that was enqueued while it ran, and forgets it when it was not', async () => {
    await enqueue(store, clock, 'a')
    const first = await claimOne()
    await enqueue(store, clock, 'a')
    expect(await claimAs(2)).toEqual([]) // not while it runs
    await finish(store, first)
    const second = await claimOne(2)
    expect(second).toMatchObject({ key: 'a', gen: 2, attempts: 1 })
    expect(second.fence).toBeGreaterThan(first.fence)
    await finish(store, second)
    expect(await store.query(`select key from work`)).toEqual([])
  })

  test('is empty again when the transaction that enqueued is undone', async () => {
    await store
      .transaction(async (sql) => {
        await enqueue(sql, clock, 'a')
        throw new Error('no')
      })
      .catch(() => {})
    expect(await claimAs(1)).toEqual([])
  })

  test('waits until a key is due, the earliest first, and the earlier of two times counts', async () => {
    await enqueue(store, clock, 'late', { due: clock.now() + 100 })
    await enqueue(store, clock, 'soon', { due: clock.now() + 50 })
    await enqueue(store, clock, 'late', { due: clock.now() + 500 })
    expect(await claimAs(1)).toEqual([])
    expect(await nextDue(store, [''])).toBe(clock.now() + 50)
    clock.advance(100)
    expect((await claimAs(1)).map(({ key }) => key)).toEqual(['soon', 'late'])
  })

  test('gives a worker only the keys that it handles', async () => {
    await enqueueAll(store, clock, ['run/1', 'probe/1', 'run_1', 'run%'])
    expect((await claimAs(1, 10, ['run/'])).map(({ key }) => key)).toEqual(['run/1'])
    expect(await nextDue(store, ['none/'])).toBeUndefined()
  })

  test('comes back when it asks to, or earlier when it is enqueued', async () => {
    await enqueue(store, clock, 'a')
    await finish(store, await claimOne(), clock.now() + 1_000)
    expect(await claimAs(1)).toEqual([])
    clock.advance(1_000)
    const again = await claimOne()
    await enqueue(store, clock, 'a')
    await finish(store, again, clock.now() + 1_000)
    expect(await claimOne()).toMatchObject({ key: 'a', attempts: 1 })
  })

  test('counts the attempts of a key that is given back', async () => {
    await enqueue(store, clock, 'a')
    await giveBack(store, await claimOne(), clock.now() + 100)
    expect(await claimAs(1)).toEqual([])
    clock.advance(100)
    expect(await claimOne()).toMatchObject({ attempts: 2 })
  })

  test('what failed, and nothing else, is due at once when it is to be tried again', async () => {
    await enqueueAll(store, clock, ['failed', 'under way'])
    for (const claimed of await claimAs(1, 2)) if (claimed.key === 'failed') await giveBack(store, claimed, clock.now() + 60_000)
    await enqueue(store, clock, 'later', { due: clock.now() + 60_000 })
    await tryAgain(store, clock)
    expect((await claimAs(1, 10)).map(({ key }) => key)).toEqual(['failed'])
  })

  test('frees the keys of a worker whose lock is gone, and refuses what it does afterwards', async () => {
    await enqueue(store, clock, 'a')
    const release = await store.holdLock(workerLockSpace, 1, () => {})
    const old = await claimOne(1)
    expect(await takeOver(store, clock)).toBe(0) // it lives
    await release()
    expect(await takeOver(store, clock)).toBe(1)
    const fresh = await claimOne(2)
    for (const late of [() => finish(store, old), () => giveBack(store, old, 0), () => assertLease(store, old), () => fenced(store, old).query(`select 1`)]) {
      await expect(late()).rejects.toMatchObject({ code: 'lease-lost', subject: 'a' })
    }
    await finish(store, fresh)
  })

  test('frees the keys of a worker that lives and has not renewed its lease', async () => {
    await enqueueAll(store, clock, ['a', 'b'])
    const release = await store.holdLock(workerLockSpace, 1, () => {})
    const [a, b] = await claimAs(1)
    clock.advance(900)
    expect([...(await renew(store, clock, 1, [a!.fence], 1_000))]).toEqual([a!.fence])
    clock.advance(200)
    expect(await takeOver(store, clock)).toBe(1)
    expect([...(await renew(store, clock, 1, [a!.fence, b!.fence], 1_000))]).toEqual([a!.fence])
    await release()
  })

  test('lets a key rest that has outlived several workers', async () => {
    await enqueue(store, clock, 'killer')
    for (let attempts = 1; attempts <= 3; attempts += 1) {
      expect(await claimOne(attempts)).toMatchObject({ attempts })
      await takeOver(store, clock)
    }
    expect(await claimOne(4)).toMatchObject({ attempts: 4 })
    await takeOver(store, clock)
    expect(await claimAs(5)).toEqual([])
    expect(await nextDue(store, [''])).toBe(clock.now() + 8_000)
  })

  test('writes nothing of a transaction whose lease was lost on the way', async () => {
    await store.script(`drop table if exists effects; create table effects (who text);`)
    await enqueue(store, clock, 'a')
    const old = await claimOne(1)
    await takeOver(store, clock)
    await expect(fenced(store, old).query(`insert into effects values ('old')`)).rejects.toMatchObject({ code: 'lease-lost' })
    const fresh = await claimOne(2)
    await fenced(store, fresh).transaction(async (sql) => {
      await sql.query(`insert into effects values ('fresh')`)
      await enqueue(sql, clock, 'a')
    })
    expect(await store.query(`select who from effects`)).toEqual([{ who: 'fresh' }])
  })

  test.runIf(kind === 'postgres')('keeps a claim standing while a transaction that asserted it is open', async () => {
    await enqueue(store, clock, 'a')
    const claimed = await claimOne(1)
    const inAnother = AsyncLocalStorage.snapshot() // as another part of the process would: outside of the transaction
    await store.transaction(async (sql) => {
      await assertLease(sql, claimed)
      expect(await inAnother(() => takeOver(store, clock))).toBe(0) // passed over, not waited for
      expect((await inAnother(() => renew(store, clock, 1, [claimed.fence], 1_000))).size).toBe(1)
    })
    expect(await takeOver(store, clock)).toBe(1)
  })

  test('takes any key, and ten thousand at once', async () => {
    const keys = [`quote"back\\slash`, `{brace,comma}`, 'ü/\u{1f600}', `'; drop table work; --`, 'NULL', '']
    await enqueueAll(store, clock, [...keys, ...keys])
    expect((await claimAs(1, 100)).map(({ key }) => key).sort()).toEqual(keys.toSorted())
    await enqueueAll(store, clock, Array.from({ length: 10_000 }, (_, index) => `many/${index}`))
    expect(await store.query(`select count(*) as n from work where starts_with(key, 'many/')`)).toEqual([{ n: 10_000 }])
  })
})
