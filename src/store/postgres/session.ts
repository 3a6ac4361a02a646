import { Client, type ClientConfig } from 'pg'
import type { Clock } from '#lib/clock.ts'
import { checkChannel } from '../sql.ts'
import { lockTaken, unavailableFailure } from '../store-failure.ts'
import { postgresFailure } from './postgres-failure.ts'

/** How long to wait (ms) before connecting again. */
const reconnectAfter = [50, 100, 250, 500, 1_000]

/** The one direct connection that listens and holds the session locks, connected when it is first needed. */
export class PostgresSession {
  readonly #config: ClientConfig
  readonly #clock: Clock
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()
  readonly #locks = new Map<string, () => void>()
  readonly #stop = new AbortController()
  #client: Promise<Client> | undefined
  #reconnecting = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(config: ClientConfig, clock: Clock) {
    this.#config = config
    this.#clock = clock
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    checkChannel(channel)
    const set = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, set.add(heard))
    try {
      await this.#run(`listen ${channel}`, [])
    } catch (error) {
      set.delete(heard)
      throw error
    }
    return async () => {
      set.delete(heard) // a channel that nobody hears costs nothing: no UNLISTEN, which could cross a new LISTEN
    }
  }

  async holdLock(space: number, key: number, lost: () => void): Promise<() => Promise<void>> {
    const name = `${space}/${key}`
    if (this.#locks.has(name)) throw lockTaken(name) // one session would take its own lock again
    this.#locks.set(name, lost)
    try {
      const [row] = await this.#run('select pg_try_advisory_lock($1::int4, $2::int4) as taken', [space, key])
      if (row?.['taken'] !== true) throw lockTaken(name)
      if (this.#locks.get(name) !== lost) throw unavailableFailure('The connection broke while a lock was taken.', undefined)
    } catch (error) {
      if (this.#locks.get(name) === lost) this.#locks.delete(name)
      throw error
    }
    return async () => {
      if (this.#locks.get(name) !== lost) return
      this.#locks.delete(name)
      await this.#run('select pg_advisory_unlock($1::int4, $2::int4)', [space, key])
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    this.#locks.clear()
    await client?.end().catch(() => {})
  }

  /** One statement after the other: the driver would warn of more. */
  #run(text: string, params: readonly (string | number)[]): Promise<Record<string, unknown>[]> {
    const mine = this.#last.then(async () => {
      try {
        const client = await this.#connected()
        return (await client.query(text, params.map(String))).rows as Record<string, unknown>[]
      } catch (error) {
        throw postgresFailure(error, text)
      }
    })
    this.#last = mine.catch(() => {})
    return mine
  }

  #connected(): Promise<Client> {
    if (this.#stop.signal.aborted) return Promise.reject(new Error('the store is closed'))
    if (this.#client !== undefined) return this.#client
    const connecting = this.#connect()
    this.#client = connecting
    connecting.catch(() => {
      if (this.#client === connecting) this.#client = undefined
    })
    return connecting
  }

  async #connect(): Promise<Client> {
    const client = new Client({ ...this.#config, application_name: 'plumbline session' })
    let connected = false
    const gone = (): void => {
      if (connected) this.#lose(client)
      connected = false
    }
    client.on('error', gone)
    client.on('end', gone)
    client.on('notification', ({ channel, payload }) => this.#hear(channel, payload ?? ''))
    try {
      await client.connect()
      for (const channel of this.#listeners.keys()) await client.query(`listen ${channel}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    connected = true
    return client
  }

  #lose(client: Client): void {
    this.#client = undefined
    client.end().catch(() => {})
    const lost = [...this.#locks.values()]
    this.#locks.clear()
    for (const tell of lost) tell()
    void this.#reconnect()
  }

  /** What listens must go on listening without being asked. */
  async #reconnect(): Promise<void> {
    if (this.#reconnecting || this.#listeners.size === 0) return
    this.#reconnecting = true
    try {
      for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
        await this.#clock.sleep(reconnectAfter[attempt] ?? 1_000, this.#stop.signal)
        const client = await this.#connected().catch(() => undefined)
        if (client === undefined) continue
        for (const channel of this.#listeners.keys()) this.#hear(channel, '')
        return
      }
    } catch {
      // stopped while it waited
    } finally {
      this.#reconnecting = false
    }
  }

  #hear(channel: string, payload: string): void {
    for (const heard of this.#listeners.get(channel) ?? []) heard(payload)
  }
}
