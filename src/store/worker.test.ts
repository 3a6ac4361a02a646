import { afterEach, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { describeStores } from '../../test/stores.ts'
import { eventually } from '../../test/eventually.ts'
import { enqueue, enqueueAll, fenced } from './queue.ts'
import type { Store } from './sql.ts'
import { Worker, type Handle, type WorkerEvent, type WorkerOptions } from './worker.ts'

const clock = systemClock

/** The same store, where somebody is told of each claim before whoever claims has the answer. */
function telling(store: Store, claimed: () => unknown): Store {
  const query: Store['query'] = async (text, params) => {
    const rows = await store.query<never>(text, params)
    if (text.includes('with next as')) await claimed()
    return rows
  }
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === 'query' ? query : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describeStores('A worker', ({ store: shared, open, kind }) => {
  const workers: Worker[] = []
  const start = (store: Store, handle: Handle, more: Partial<WorkerOptions> = {}): Worker => {
    const worker = new Worker({ store, clock, concurrency: 4, handlers: { 'job/': handle }, ...more })
    workers.push(worker)
    worker.start()
    return worker
  }
  const left = async (store: Store): Promise<unknown[]> => store.query(`select key, attempts from work`)

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()))
    await (await shared()).query(`delete from work`)
  })

  test('runs what is enqueued, at once, and forgets it', async () => {
    const store = await shared()
    const seen: string[] = []
    start(store, async (key) => void seen.push(key), { pollMs: 60_000 })
    await eventually(async () => (await store.query(`select 1 from pg_locks where locktype = 'advisory' and objsubid = 2`)).length > 0)
    await enqueue(store, clock, 'job/1')
    await eventually(() => seen.length === 1, 2_000) // woken: the poll is a minute away
    await enqueueAll(store, clock, ['job/2', 'other/1'])
    await eventually(() => seen.length === 2, 2_000)
    await eventually(async () => (await left(store)).length === 1)
    expect(seen).toEqual(['job/1', 'job/2'])
    expect(await left(store)).toEqual([{ key: 'other/1', attempts: 0 }])
  })

  test('is not woken by what others work on', async () => {
    const store = await shared()
    let claims = 0
    const counting = telling(store, () => (claims += 1))
    const seen: string[] = []
    start(counting, async (key) => void seen.push(key), { pollMs: 60_000, leaseMs: 600_000 })
    await eventually(() => claims > 0)
    const before = claims
    for (let i = 0; i < 20; i += 1) await enqueue(store, clock, `other/${i}`)
    await enqueue(store, clock, 'job/1')
    await eventually(() => seen.length === 1)
    expect(claims - before).toBeLessThan(8)
  })

  test('runs no more at a time than it may, and never a key beside itself', async () => {
    const store = await shared()
    const active = new Set<string>()
    let most = 0
    let twice = false
    let runs = 0
    const handle: Handle = async (key) => {
      twice ||= active.has(key)
      active.add(key)
      most = Math.max(most, active.size)
      await enqueueAll(store, clock, runs < 40 ? [key] : [])
      active.delete(key)
      runs += 1
    }
    start(store, handle, { concurrency: 3 })
    await enqueueAll(store, clock, Array.from({ length: 10 }, (_, index) => `job/${index}`))
    await eventually(async () => runs >= 40 && (await left(store)).length === 0)
    expect([most, twice]).toEqual([3, false])
  })

  test('tries again, later, what failed, and tells', async () => {
    const store = await shared()
    const events: WorkerEvent[] = []
    let runs = 0
    const handle: Handle = async () => {
      runs += 1
      if (runs === 1) throw new Failure({ code: 'source-unreachable', subject: 'x', message: 'no', retry: 'later' })
    }
    const before = clock.now()
    start(store, handle, { report: (event) => events.push(event) })
    await enqueue(store, clock, 'job/1')
    await eventually(() => runs === 2)
    expect(clock.now() - before).toBeGreaterThanOrEqual(1_000)
    expect(events).toMatchObject([{ event: 'failed', key: 'job/1', attempts: 1, failure: { code: 'source-unreachable' } }])
    await eventually(async () => (await left(store)).length === 0)
  })

  test('runs a key again when its handler asks for it', async () => {
    const store = await shared()
    const times: number[] = []
    start(store, async () => {
      times.push(clock.now())
      return times.length < 3 ? { again: clock.now() + 50 } : undefined
    })
    await enqueue(store, clock, 'job/1')
    await eventually(async () => times.length === 3 && (await left(store)).length === 0)
    expect(times[2]! - times[0]!).toBeGreaterThanOrEqual(100)
  })

  test('stops gracefully: what runs is told and finished, what was interrupted is due at once', async () => {
    const store = await shared()
    let started = 0
    const aborted: unknown[] = []
    const handle: Handle = async (key, { signal }) => {
      started += 1
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      aborted.push((signal.reason as Failure).code)
      if (key === 'job/interrupted') throw signal.reason
    }
    const worker = start(store, handle)
    await enqueueAll(store, clock, ['job/finished', 'job/interrupted'])
    await eventually(() => started === 2)
    await worker.stop()
    expect(aborted).toEqual(['worker-stopping', 'worker-stopping'])
    expect(await left(store)).toEqual([{ key: 'job/interrupted', attempts: 0 }])
    const again: string[] = []
    start(store, async (key) => void again.push(key))
    await eventually(() => again.length === 1, 2_000)
  })

  test('begins nothing any more once it stops: what it claimed meanwhile is due at once', async () => {
    const store = await shared()
    const [claimed, stopping] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = telling(store, () => {
      claimed.resolve()
      return stopping.promise
    })
    await enqueue(store, clock, 'job/1')
    let begun = 0
    const worker = start(slow, async () => void (begun += 1))
    await claimed.promise
    const stopped = worker.stop()
    stopping.resolve()
    await stopped
    expect(begun).toBe(0)
    expect(await store.query('select key, attempts, due <= $1 as due, owner from work', [clock.now()])).toEqual([{ key: 'job/1', attempts: 0, due: true, owner: null }])
  })

  test('keeps its leases while its handlers run, also while it stops', async () => {
    const store = await shared()
    const leases: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const worker = start(store, async (_, { leaseUntil }) => {
      leases.push(leaseUntil())
      await eventually(() => leaseUntil() > leases[0]!)
      void worker.stop()
      const stopping = leaseUntil()
      await eventually(() => leaseUntil() > stopping)
      leases.push(leaseUntil())
      resolve()
    }, { leaseMs: 300 })
    await enqueue(store, clock, 'job/1')
    await promise
    await worker.stop()
    expect(leases[1]! - leases[0]!).toBeGreaterThan(100)
    expect(await left(store)).toEqual([])
  })

  test('is told, and refused by the fence, when another has taken its key over', async () => {
    const store = await shared()
    await store.script(`drop table if exists effects; create table effects (who text);`)
    const events: WorkerEvent[] = []
    const reasons: unknown[] = []
    let runs = 0
    const handle: Handle = async (_, { claim, signal }) => {
      runs += 1
      if (runs > 1) return
      await store.query(`update work set owner = null, lease = null, due = 0 where fence = $1`, [claim.fence]) // what takeOver does, when it was paused for longer than its lease
      await expect(fenced(store, claim).query(`insert into effects values ('late')`)).rejects.toMatchObject({ code: 'lease-lost' })
      await eventually(() => signal.aborted)
      reasons.push((signal.reason as Failure).code)
    }
    start(store, handle, { report: (event) => events.push(event), leaseMs: 900, pollMs: 100 })
    await enqueue(store, clock, 'job/1')
    await eventually(async () => runs === 2 && reasons.length === 1 && (await left(store)).length === 0)
    expect(reasons).toEqual(['lease-lost'])
    expect(events).toEqual([{ event: 'lease-lost', key: 'job/1' }])
    expect(await store.query(`select who from effects`)).toEqual([])
  })

  test('two of them run each of five hundred keys exactly once for each generation', async () => {
    const one = await shared()
    const two = kind === 'postgres' ? await open() : one
    const runs = new Map<string, number>()
    const by = [0, 0]
    for (const [index, store] of [one, two].entries()) {
      start(store, async (key, { claim }) => {
        const name = `${key}@${claim.gen}`
        runs.set(name, (runs.get(name) ?? 0) + 1)
        by[index]! += 1
        await store.query(`select 1`)
      }, { concurrency: 8 })
    }
    const keys = Array.from({ length: 500 }, (_, index) => `job/${index}`)
    await enqueueAll(one, clock, keys)
    await eventually(async () => runs.size === 500 && (await left(one)).length === 0, 20_000)
    expect([...runs.values()].every((times) => times === 1)).toBe(true)
    expect(Math.min(...by)).toBeGreaterThan(0)
    await enqueueAll(one, clock, keys)
    await eventually(async () => (by[0] ?? 0) + (by[1] ?? 0) === 1_000 && (await left(one)).length === 0, 20_000)
  })
})
