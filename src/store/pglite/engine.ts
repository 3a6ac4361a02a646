import { fsyncSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { decoders, Undecodable } from '../values.ts'
import { Prepared } from './prepared.ts'

/** The engine cannot go on. `code` is an SQLSTATE: what the words tell of the disk, or else `otherwise`. */
export class EngineDead extends Error {
  readonly code: string

  constructor(message: string, otherwise: string) {
    super(message)
    this.code = /no space left/i.test(message) ? '53100' : /input\/output error/i.test(message) ? '58030' : otherwise
  }
}

/** PGlite's own file system has no fsync: PostgreSQL believes that it has, and nothing reaches the disk. */
class DurableFS extends NodeFS {
  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pg, options)
    const install = (module: { NODEFS: { stream_ops: Record<string, unknown> } }): void => {
      module.NODEFS.stream_ops['fsync'] = (stream: { nfd: number }) => {
        fsyncSync(stream.nfd)
        return 0
      }
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun as never[]), install as never] } }
  }
}


/**
 * PGlite's own parameters without `-F`, which turns fsync off. A commit does not wait for the disk (`synchronous_commit=off`): `flush`
 * does that for many of them at once, and nothing is answered before it.
 */
const startParams = [
  '--single',
  '-O',
  '-j',
  ...[
    'search_path=public',
    'exit_on_error=false',
    'log_checkpoints=false',
    'max_worker_processes=0',
    'max_parallel_workers=0',
    'max_parallel_workers_per_gather=0',
    'max_parallel_maintenance_workers=0',
    'io_method=sync',
    'wal_sync_method=fsync',
    'synchronous_commit=off',
    'shared_buffers=16MB',
  ].flatMap((setting) => ['-c', setting]),
]

/** Bytes of log after which a checkpoint is made: in its single-user mode PostgreSQL never does that by itself, and the log grows for ever. */
const checkpointEvery = 32 * 1024 * 1024

/** A plan is as good as the sizes of the tables that it was made for: all are made again after so many bytes of log, and whenever there is twice as much. */
const planAgainAfter = 1024 * 1024

/** Never compares with the insert position: at the end of a page it is already past the header of the next one, which nobody has written. */
const flushed = `
  select emitted is null or pg_current_wal_flush_lsn() >= emitted as flushed, (pg_current_wal_flush_lsn() - '0/0')::text as written
  from (select case when pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn() then pg_logical_emit_message(false, 'flush', '', true) end as emitted offset 0) asked`

/** PGlite on a folder, made durable. */
export class Engine {
  readonly #pg: PGlite
  readonly #prepared: Prepared
  readonly #words: string[]
  #failed = false
  #openedAt = 0
  #plannedAt = 0
  #checkpointAt = 0
  #written = 0

  private constructor(pg: PGlite, words: string[]) {
    this.#pg = pg
    this.#prepared = new Prepared(pg)
    this.#words = words
  }

  static async open(folder: string, code: object, notified: (channel: string, payload: string) => void): Promise<Engine> {
    const words: string[] = []
    try {
      const pg = await PGlite.create({
        fs: new DurableFS(folder),
        pgliteWasmModule: code,
        startParams,
        onStderr: (line) => {
          words.push(line)
          if (words.length > 20) words.shift()
          return false
        },
      })
      pg.parsers = { ...decoders, 1114: String, 1082: String } // the rule of `Sql`: PGlite's own would make dates of these
      pg.serializers = {} // parameters come as text
      pg.onNotification(notified)
      const engine = new Engine(pg, words)
      await engine.flush()
      engine.#openedAt = engine.#plannedAt = engine.#written
      engine.#checkpointAt = engine.#written + checkpointEvery
      return engine
    } catch (error) {
      throw new EngineDead([(error as Error).message ?? String(error), ...words].join('\n'), 'XX001')
    }
  }

  async query(text: string, params: readonly (string | null)[]): Promise<Record<string, unknown>[]> {
    const wasInTransaction = this.inTransaction()
    const rows = await this.#guard(() => this.#prepared.query(text, params), wasInTransaction)
    // PGlite swallows a panic of the engine, and then answers like an empty success.
    if (rows === undefined) throw this.#dead('the engine gave no answer')
    return rows
  }

  async script(text: string): Promise<void> {
    const answers = await this.#guard(() => this.#pg.exec(text), this.inTransaction())
    if (answers.some((answer) => (answer as { command?: string }).command === undefined)) throw this.#dead('the engine gave no answer')
    await this.#guard(() => this.#prepared.forget(), this.inTransaction())
  }

  inTransaction(): boolean {
    return this.#pg.isInTransaction()
  }

  /** Whether an open transaction waits for its rollback. */
  transactionFailed(): boolean {
    return this.inTransaction() && this.#failed
  }

  /** On return every commit so far is on the disk. */
  async flush(): Promise<void> {
    const rows = await this.#guard(() => this.#prepared.query(flushed, []), this.inTransaction())
    const row = rows?.[0]
    if (row?.['flushed'] !== true) throw this.#dead('the log did not reach the disk')
    this.#written = Number(row['written'])
  }

  /** What a server's background processes would do. */
  async keepHouse(): Promise<void> {
    if (this.#written - this.#openedAt >= 2 * (this.#plannedAt - this.#openedAt) + planAgainAfter) {
      this.#plannedAt = this.#written
      await this.#guard(() => this.#prepared.forget(), false)
    }
    if (this.#written < this.#checkpointAt) return
    this.#checkpointAt = this.#written + checkpointEvery
    try {
      await this.query('checkpoint', [])
      await this.query('vacuum', [])
    } catch (error) {
      if (error instanceof EngineDead) throw error // what only failed (no room for it) is tried again after as much log
    }
  }

  close(): Promise<void> {
    return this.#pg.close()
  }

  async #guard<T>(run: () => Promise<T>, wasInTransaction: boolean): Promise<T> {
    try {
      const answer = await run()
      if (!this.inTransaction()) this.#failed = false
      return answer
    } catch (error) {
      this.#failed = wasInTransaction || this.inTransaction()
      if (error instanceof Undecodable) throw error
      const { severity } = error as { severity?: string }
      if (severity === 'FATAL' || severity === 'PANIC') throw this.#dead((error as Error).message)
      if (severity === undefined) throw this.#dead(`${(error as Error).name}: ${(error as Error).message}`)
      throw error
    }
  }

  #dead(message: string): EngineDead {
    return new EngineDead([message, ...this.#words.slice(-5)].join('\n'), '57P02')
  }
}
