import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startChild } from '../../test/child.ts'
import { eventually } from '../../test/eventually.ts'
import { postgresMissing, startPostgres } from '../../test/postgres.ts'
import { openStore } from './open.ts'
import { enqueue } from './queue.ts'
import type { Store } from './sql.ts'
import { Worker } from './worker.ts'

/** Stands before the server, and can cut every connection and refuse new ones: what a restart or a fail-over looks like from here. */
class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #target: URL
  #port = 0

  constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((near) => {
      const far = connect(Number(this.#target.port), this.#target.hostname)
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => [near, far].forEach((end) => end.destroy()))
      }
      near.pipe(far)
      far.pipe(near)
    })
  }

  async up(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    const url = new URL(this.#target)
    url.port = String(this.#port)
    return url.href
  }

  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    await closed
  }
}

const missing = postgresMissing()

describe.skipIf(missing !== undefined)(`A store on a server${missing === undefined ? '' : ` (${missing})`}`, () => {
  let url: string
  let direct: Store
  const undo: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    const database = await startPostgres()
    undo.push(database.stop)
    url = database.url
    direct = await openStore({ url }, systemClock)
    undo.push(() => direct.close())
  })
  afterAll(async () => {
    for (const step of undo.toReversed()) await step()
  })

  test('fails plainly while the server is away, and goes on by itself when it is back', async () => {
    const wire = new Wire(url)
    const store = await openStore({ url: await wire.up() }, systemClock)
    const heard: string[] = []
    await store.listen('outage', (payload) => heard.push(payload))
    let lost = 0
    await store.holdLock(5, 5, () => (lost += 1))
    const seen: string[] = []
    const worker = new Worker({ store, clock: systemClock, concurrency: 2, handlers: { 'outage/': async (key) => void seen.push(key) }, pollMs: 60_000 })
    worker.start()
    await enqueue(direct, systemClock, 'outage/before')
    await eventually(() => seen.length === 1)

    const under = store.query(`select pg_sleep(30)`).catch((error: unknown) => error)
    await eventually(async () => (await direct.query(`select 1 from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`)).length > 0)
    await wire.down()
    expect(await under).toMatchObject({ code: 'store-unavailable', retry: 'later' })
    await expect(store.query(`select 1`)).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(store.transaction((sql) => sql.query(`select 1`))).rejects.toMatchObject({ code: 'store-unavailable' })
    await eventually(() => lost === 1)
    await enqueue(direct, systemClock, 'outage/during')

    await wire.up()
    expect(await store.query(`select 1 as one`)).toEqual([{ one: 1 }])
    await eventually(() => heard.includes('')) // something may have been missed
    await direct.query(`select pg_notify('outage', 'after')`)
    await eventually(() => heard.includes('after'))
    await eventually(() => seen.includes('outage/during'))
    await worker.stop()
    await store.close()
    await wire.down()
  })

  test('outlives its connections being ended by the server, idle and in use', async () => {
    const store = await openStore({ url }, systemClock)
    await Promise.all([store.query(`select 1`), store.query(`select 1`)])
    const under = store.transaction(async (sql) => {
      await direct.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'plumbline%'`)
      await sql.query(`select 1`)
    })
    await expect(under).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(await eventually(() => store.query(`select 1 as one`).catch(() => undefined))).toEqual([{ one: 1 }])
    await store.close()
  })

  test('takes over the keys of a killed worker in under a second', async () => {
    const worker = startChild('./store-child.ts', [JSON.stringify({ url }), 'work'])
    undo.push(worker.kill)
    await worker.says('open')
    await enqueue(direct, systemClock, 'job/1')
    await worker.says('job/1')
    const seen: string[] = []
    const other = new Worker({ store: direct, clock: systemClock, concurrency: 2, handlers: { 'job/': async (key) => void seen.push(key) } })
    other.start()
    await enqueue(direct, systemClock, 'job/2')
    await eventually(() => seen.includes('job/2') || worker.lines.includes('job/2'))
    expect(seen).not.toContain('job/1') // it lives
    const killed = performance.now()
    await worker.kill()
    await eventually(() => seen.includes('job/1'))
    expect(performance.now() - killed).toBeLessThan(1_000)
    await other.stop()
  })

  test('a process that is frozen in a transaction holds up nobody for long', async () => {
    const frozen = await openStore({ url, statementTimeout: 200 }, systemClock)
    await enqueue(direct, systemClock, 'frozen/1')
    const under = frozen.transaction(async (sql) => {
      await sql.query(`select 1 from work where key = 'frozen/1' for share`)
      await enqueue(direct, systemClock, 'frozen/1') // of another process: it waits for the row
      await sql.query(`select 1`)
    })
    await expect(under).rejects.toMatchObject({ code: expect.stringMatching(/^store-(timeout|unavailable)$/), retry: 'later' })
    await direct.query(`delete from work where key = 'frozen/1'`)
    await frozen.close()
  })

  test('ends a statement that takes too long, and names a wrong password', async () => {
    const hasty = await openStore({ url, statementTimeout: 200 }, systemClock)
    await expect(hasty.query(`select pg_sleep(10)`)).rejects.toMatchObject({ code: 'store-timeout' })
    expect(await hasty.query(`select current_setting('TimeZone') as zone, current_setting('application_name') as name`)).toEqual([{ zone: 'UTC', name: 'plumbline' }])
    await hasty.close()
    const wrong = new URL(url)
    wrong.password = 'canary'
    const failure = await openStore({ url: wrong.href }, systemClock).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store-denied' })
    expect(JSON.stringify(failure)).not.toContain('canary')
    await expect(openStore({ url: 'postgres://postgres@127.0.0.1:1/none' }, systemClock)).rejects.toMatchObject({ code: 'store-unavailable' })
  })
})
