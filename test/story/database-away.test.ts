import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { Client } from 'pg'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { standBetween } from '../standing-between.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const missing = postgresMissing()

/** The way to a server, at one port: it can be closed, which breaks what goes through it, and opened again. */
class Way {
  readonly #to: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  port = 0

  constructor(url: URL) {
    this.#to = { host: url.hostname, port: Number(url.port) }
  }

  async open(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#to)
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.#sockets.add(one)
        one.on('error', () => {}).on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        }).pipe(other)
      }
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.port, '127.0.0.1', resolve))
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

describe.skipIf(missing !== undefined)(`the database goes away under the control plane, and comes back${missing === undefined ? '' : ` (${missing})`}`, () => {
  let shop: SmallShop
  let database: { readonly url: string; readonly stop: () => Promise<void> }
  let way: Way
  let held = Promise.resolve()
  const applies: string[] = []
  let count = 1

  beforeAll(async () => {
    database = await startPostgres()
    way = new Way(new URL(database.url))
    await way.open()
    const through = new URL(database.url)
    through.port = String(way.port)
    shop = await openSmallShop({
      databaseUrl: through.href,
      files: { 'app/module.yaml': moduleFile('app'), 'app/manifests/map.yaml': configMap('app') },
      between: (cluster) =>
        standBetween(cluster, async ({ method, path, body }) => {
          if (method !== 'PATCH' || path.includes('dryRun')) return undefined
          applies.push(body)
          await held
          return undefined
        }),
    })
    await shop.until('it is delivered', async () => (await shop.module('app'))?.verification === 'passed')
  })
  afterAll(async () => {
    await shop?.stop()
    await way.close()
    await database.stop()
  })

  const query = async (text: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    return client.query(text).then(({ rows }) => rows as unknown[]).finally(() => client.end())
  }
  const change = (): Record<string, string> => ({ 'app/manifests/map.yaml': configMap('app', String((count += 1))) })
  async function expectWhole(sha: string): Promise<void> {
    // Who asks first over a connection that has just been ended is told that the store is away: and asks again.
    const runs = () => shop.client.runs({ environment: 'dev' }).then((answer) => answer.runs, () => [])
    const run = await shop.until('its run has ended', async () => (await runs()).find((one) => isEnded(one.state) && one.changes.some((each) => each.sha === sha)))
    expect(run).toMatchObject({ state: 'succeeded', failure: null, steps: [{ effects: [{ outcome: 'configured' }] }] })
    expect(await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/app')).toMatchObject({ data: { a: String(count) } })
    const { publicKey, chains } = await shop.client.exportRecords()
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ sealed: chain.records.length, defects: [] })
    expect(await query(`select 1 from record where run = '${run.id}'`)).toHaveLength(1)
    expect(await query(`select 1 from inventory where run = '${run.id}'`)).toHaveLength(1)
  }

  test('in the middle of an apply: whoever asks is told, and the run is carried on, with one record, when it is back', async () => {
    const [begun, hold] = [applies.length, Promise.withResolvers<void>()]
    held = hold.promise
    const sha = await shop.push(change())
    await shop.until('the apply is under way', () => applies.length > begun || undefined)
    await way.close()
    const { code, err } = await shop.plumb('status')
    expect(code).toBe(4)
    expect(err).toMatch(/^store-unavailable: store: .*\n\s+Check that the PostgreSQL server runs and can be reached/)
    expect(await fetch(`${shop.plane.url}/healthz`)).toMatchObject({ status: 503 })
    await shop.until('the log says so', () => shop.log.some((line) => line.startsWith('store: store-unavailable')) || undefined)
    // The cluster takes the apply, while nothing can be written down of it.
    hold.resolve()
    await way.open()
    await expectWhole(sha)
    expect(applies.length - begun).toBe(1)
  })

  test('its sessions are ended by an administrator: the work is taken up again', async () => {
    const sha = await shop.push(change())
    const ended = await query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
    expect(ended).not.toEqual([])
    await expectWhole(sha)
  })
})
