import { systemClock as clock } from '#lib/clock.ts'
import { openStore } from '#store/open.ts'
import { claim, enqueue, enqueueAll } from '#store/queue.ts'
import type { Store } from '#store/sql.ts'
import { Worker } from '#store/worker.ts'
import { postgresMissing } from '../test/postgres.ts'
import { emptyPlace } from '../test/stores.ts'

// What the store costs: `node bench/store.ts`. A few seconds a store.

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await work()
  return performance.now() - before
}

async function rate(name: string, count: number, work: () => Promise<unknown>): Promise<void> {
  console.log(`  ${name}: ${Math.round((count / (await timed(work))) * 1_000)} a second`)
}

async function each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += 1) await work(index)
}

async function besides(lanes: number, count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => each(count / lanes, (index) => work(lane * count + index))))
}

async function writes(store: Store): Promise<void> {
  await store.query(`create table bench (id bigint generated always as identity, body jsonb)`)
  const insert = (): Promise<unknown> => store.query(`insert into bench (body) values ($1)`, [{ some: 'body', of: ['a', 'row'] }])
  await rate('durable inserts, one after the other', 500, () => each(500, insert))
  await rate('durable inserts, 32 at a time', 3_200, () => besides(32, 3_200, insert))
  const transaction = (): Promise<unknown> =>
    store.transaction(async (sql) => {
      await sql.query(`insert into bench (body) values ('1')`)
      await sql.query(`insert into bench (body) values ('2')`)
    })
  await rate('transactions of two inserts, one after the other', 300, () => each(300, transaction))
  await rate('transactions of two inserts, 32 at a time', 1_600, () => besides(32, 1_600, transaction))
  const rows = Array.from({ length: 10_000 }, (_, index) => ({ body: { index } }))
  await rate('rows, 10,000 in one statement', 10_000, () => store.query(`insert into bench (body) select body from jsonb_to_recordset($1) as given (body jsonb)`, [rows]))
  await rate('reads of one row', 1_000, () => each(1_000, () => store.query(`select body from bench where id = 1`)))
}

async function queue(store: Store): Promise<void> {
  const waits: number[] = []
  let ran = 0
  let at = 0
  let started = Promise.withResolvers<void>()
  const handlers = {
    'one/': async (): Promise<void> => {
      waits.push(performance.now() - at)
      started.resolve()
    },
    'many/': async (): Promise<void> => {
      ran += 1
      if (ran === 2_000) started.resolve()
    },
  }
  const worker = new Worker({ store, clock, concurrency: 16, handlers })
  worker.start()
  await each(100, async (index) => {
    started = Promise.withResolvers()
    at = performance.now()
    await enqueue(store, clock, `one/${index}`)
    await started.promise
    await clock.sleep(2)
  })
  waits.sort((a, b) => a - b)
  console.log(`  from enqueue to start: ${waits[50]?.toFixed(1)} ms median, ${waits[95]?.toFixed(1)} ms at the 95th percentile`)
  started = Promise.withResolvers()
  await rate('keys enqueued, run and finished, 16 at a time', 2_000, async () => {
    await enqueueAll(store, clock, Array.from({ length: 2_000 }, (_, index) => `many/${index}`))
    await started.promise
  })
  await worker.stop()
  await rate('keys enqueued in one statement', 10_000, () => enqueueAll(store, clock, Array.from({ length: 10_000 }, (_, index) => `x/${index}`)))
  await rate('keys claimed, 100 at a time', 10_000, () => each(100, () => claim(store, clock, { owner: 1, prefixes: ['x/'], limit: 100, leaseMs: 30_000 })))
}

for (const kind of ['pglite', 'postgres'] as const) {
  if (kind === 'postgres' && postgresMissing() !== undefined) {
    console.log(postgresMissing())
    continue
  }
  const { place, stop } = await emptyPlace(kind)
  console.log(`${kind}\n  creating: ${Math.round(await timed(async () => (await openStore(place, clock)).close()))} ms`)
  let store!: Store
  const opening = await timed(async () => (store = await openStore(place, clock)))
  console.log(`  opening again: ${Math.round(opening)} ms`)
  await writes(store)
  await queue(store)
  console.log(`  resident: ${Math.round(process.memoryUsage.rss() / 1e6)} MB`)
  await store.close()
  await stop()
}
