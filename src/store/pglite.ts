import { existsSync, readFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { lockFolder } from './pglite/folder-lock.ts'
import { engineCode, PgliteThread } from './pglite/thread.ts'
import { syncFolder, unpackTemplate } from './pglite/template.ts'
import { checkChannel, type Param, type Sql, type Store } from './sql.ts'
import { lockTaken, storeFailure, unavailableFailure, type SqlError } from './store-failure.ts'
import { refuseInsideTransaction, runTransaction } from './transaction.ts'
import { encodeParam } from './values.ts'

const version = '18'

/**
 * PGlite in a thread, on `<folder>/pg`, for this process alone. What is resolved is on the disk. After a full disk or an input/output error
 * the engine is opened again by the next statement, and replays its log.
 * Failures: `store-locked`, `store-broken`, `store-unavailable`.
 */
export async function openPglite(folder: string): Promise<Store> {
  const root = resolve(folder)
  const data = join(root, 'pg')
  const unlock = lockFolder(root)
  try {
    await createData(root, data)
  } catch (error) {
    unlock()
    throw error
  }
  const store = new PgliteStore(data, unlock)
  try {
    await store.query('select 1')
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

/** A folder under a temporary name is nothing yet; its rename is the one step that makes a store. */
async function createData(root: string, data: string): Promise<void> {
  if (existsSync(data)) return checkData(root, data)
  const unfinished = `${data}.new`
  try {
    await rm(unfinished, { recursive: true, force: true })
    await unpackTemplate(unfinished)
    await rename(unfinished, data)
    await syncFolder(root)
  } catch (error) {
    throw storeFailure(error as SqlError)
  }
}

/** PGlite would run initdb in a folder without PG_VERSION, and so over what may be left of somebody's data. */
function checkData(root: string, data: string): void {
  let found: string
  try {
    found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
  } catch (error) {
    throw broken(root, `The store's folder holds no database: ${(error as Error).message}`, error)
  }
  if (found !== version) throw broken(root, `The store's folder was made by PostgreSQL ${found}, and this is ${version}.`, undefined)
}

function broken(root: string, message: string, cause: unknown): Failure {
  return new Failure({ code: 'store-broken', subject: root, message, hint: 'Restore the folder from a backup, or move it away to begin with an empty store.', cause })
}

class PgliteStore implements Store {
  readonly kind = 'pglite'
  readonly #data: string
  readonly #unlock: () => void
  #thread: PgliteThread | undefined
  #turn: Promise<void> = Promise.resolve()
  #closed = false
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()
  readonly #locks = new Map<string, () => void>()

  constructor(data: string, unlock: () => void) {
    this.#data = data
    this.#unlock = unlock
  }

  query<Row extends object>(text: string, params: readonly Param[] = []): Promise<Row[]> {
    return this.#send((thread) => thread.query(text, params.map(encodeParam)) as Promise<Row[]>)
  }

  async script(text: string): Promise<void> {
    await this.#send((thread) => thread.script(text))
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    refuseInsideTransaction(this)
    const release = await this.#takeTurn()
    try {
      const thread = await this.#open() // one thread to the end: a reopened one knows nothing of this transaction
      const run = (text: string, params: readonly Param[]): Promise<Record<string, unknown>[]> => thread.query(text, params.map(encodeParam))
      return await runTransaction(this, this.kind, run, work, release)
    } finally {
      release()
    }
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    checkChannel(channel)
    const set = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, set.add(heard))
    await this.query(`listen ${channel}`)
    return async () => {
      set.delete(heard) // a channel that nobody hears costs nothing: no UNLISTEN, which could cross a new LISTEN
    }
  }

  async holdLock(space: number, key: number, lost: () => void): Promise<() => Promise<void>> {
    const name = `${space}/${key}`
    if (this.#locks.has(name)) throw lockTaken(name) // one session would take its own lock again
    this.#locks.set(name, lost)
    try {
      const [row] = await this.query<{ taken: boolean }>('select pg_try_advisory_lock($1::int4, $2::int4) as taken', [space, key])
      if (row?.taken !== true) throw lockTaken(name)
    } catch (error) {
      this.#locks.delete(name)
      throw error
    }
    return async () => {
      if (this.#locks.get(name) !== lost) return
      this.#locks.delete(name)
      await this.query('select pg_advisory_unlock($1::int4, $2::int4)', [space, key])
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    refuseInsideTransaction(this)
    const release = await this.#takeTurn()
    this.#closed = true
    try {
      await this.#thread?.close()
    } finally {
      this.#unlock()
      release()
    }
  }

  /** Sends in the order of the calls; the answers come when they are durable, many at once. */
  async #send<T>(ask: (thread: PgliteThread) => Promise<T>): Promise<T> {
    refuseInsideTransaction(this)
    const release = await this.#takeTurn()
    let answer: Promise<T>
    try {
      answer = ask(await this.#open())
    } finally {
      release()
    }
    return answer
  }

  async #takeTurn(): Promise<() => void> {
    const before = this.#turn
    const { promise, resolve: release } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    return release
  }

  async #open(): Promise<PgliteThread> {
    if (this.#closed) throw unavailableFailure('The store is closed.', undefined, 'Plumbline is stopping.')
    if (this.#thread?.alive === true) return this.#thread
    const again = this.#thread !== undefined
    await this.#thread?.gone // two engines on one folder would ruin it
    const thread = new PgliteThread(this.#data, await engineCode(), (channel, payload) => this.#hear(channel, payload), () => this.#loseLocks())
    this.#thread = thread
    await thread.ready
    for (const channel of this.#listeners.keys()) await thread.query(`listen ${channel}`, [])
    if (again) for (const channel of this.#listeners.keys()) this.#hear(channel, '')
    return thread
  }

  #hear(channel: string, payload: string): void {
    for (const heard of this.#listeners.get(channel) ?? []) heard(payload)
  }

  #loseLocks(): void {
    const lost = [...this.#locks.values()]
    this.#locks.clear()
    for (const tell of lost) tell()
  }
}
