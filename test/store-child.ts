import { systemClock } from '#lib/clock.ts'
import { openStore, type StorePlace } from '#store/open.ts'
import { Worker } from '#store/worker.ts'

// A process to be killed by a test. Its arguments: a place for a store as JSON, and what to do there. Each line that it prints is a fact.
const [place = '', deed = '', count = 'Infinity'] = process.argv.slice(2)
const store = await openStore(JSON.parse(place) as StorePlace, systemClock)
console.log('open')

if (deed === 'write') {
  await store.query(`create table if not exists written (id int primary key)`)
  for (let id = 1; id <= Number(count); id += 1) {
    await store.transaction((sql) => sql.query(`insert into written values ($1)`, [id]))
    console.log(id)
  }
  await store.close()
} else if (deed === 'work') {
  const handle = (key: string): Promise<void> => {
    console.log(key)
    return new Promise(() => {})
  }
  new Worker({ store, clock: systemClock, concurrency: 4, handlers: { 'job/': handle } }).start()
} // else: hold it
