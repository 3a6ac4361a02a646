import { execFile } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { connected, type Address, type Ask, type Login } from './ask.ts'
import { PostgresProcess } from './postgres-process.ts'
import type { PostgresOwner } from './programs.ts'

const run = promisify(execFile)

/** Small: it shares a machine with three clusters. WAL is kept for a replica that is away for a while. */
const settings = {
  unix_socket_directories: '',
  shared_buffers: '16MB',
  max_connections: '40',
  wal_level: 'replica',
  max_wal_size: '128MB',
  min_wal_size: '16MB',
  wal_keep_size: '64MB',
  max_wal_senders: '4',
  max_replication_slots: '4',
  max_logical_replication_workers: '0',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '500ms',
  hot_standby_feedback: 'on',
  jit: 'off',
}

/** The role that only the playground signs in as. */
export const superuser = 'postgres'
export const replicator = 'replicator'

export type Passwords = Readonly<Record<string, string>>

export type PostgresServerOptions = {
  readonly name: string
  /** Holds `data` and the server's log. */
  readonly dir: string
  readonly bin: string
  readonly owner: PostgresOwner
  /** Of `superuser` and `replicator` at least. */
  readonly passwords: Passwords
  readonly clock: Clock
}

/** One PostgreSQL server with its folder. Failures of all: `playground-database`, with the last lines of its log. */
export class PostgresServer {
  readonly name: string
  at: Address
  readonly #options: PostgresServerOptions
  readonly #data: string
  #process: PostgresProcess | undefined

  constructor(options: PostgresServerOptions, at: Address) {
    this.name = options.name
    this.at = at
    this.#options = options
    this.#data = join(options.dir, 'data')
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true
  }

  get exists(): boolean {
    return existsSync(join(this.#data, 'PG_VERSION'))
  }

  get login(): Login {
    return { ...this.at, user: superuser, password: this.#options.passwords[superuser] ?? '', database: 'postgres' }
  }

  /** As the superuser, in that database. */
  ask<T>(work: (ask: Ask) => Promise<T>, database = 'postgres'): Promise<T> {
    return connected({ ...this.login, database }, work)
  }

  /** A new, empty server, which does not run yet. */
  async create(): Promise<void> {
    const { bin, passwords } = this.#options
    this.#makeRoom()
    const passwordFile = join(this.#options.dir, 'password')
    this.#write(passwordFile, passwords[superuser] ?? '')
    const args = ['-D', `${this.#data}.new`, '-U', superuser, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--wal-segsize=4', '--no-sync', '--no-instructions']
    try {
      await this.#as(join(bin, 'initdb'), args)
    } finally {
      rmSync(passwordFile, { force: true })
    }
    this.#write(join(`${this.#data}.new`, 'pg_hba.conf'), 'host all all 127.0.0.0/8 scram-sha-256\nhost replication all 127.0.0.0/8 scram-sha-256\n')
    appendFileSync(join(`${this.#data}.new`, 'postgresql.conf'), "\ninclude_if_exists = 'playground.conf'\n")
    renameSync(`${this.#data}.new`, this.#data)
  }

  /** A copy of a running server, made as a base backup is; it will stream from it. It does not run yet. */
  async cloneFrom(source: PostgresServer): Promise<void> {
    this.#makeRoom()
    const fresh = `${this.#data}.new`
    await source.ask(async (ask) => {
      await ask(`select pg_backup_start('clone', true)`)
      await this.#copy(source.#data, fresh).catch(() => this.#copy(source.#data, fresh)) // a file may go while it is copied
      const [stopped] = await ask(`select labelfile from pg_backup_stop(wait_for_archive => false)`)
      for (const name of ['postmaster.pid', 'postmaster.opts', 'playground.conf', 'tablespace_map']) rmSync(join(fresh, name), { force: true })
      for (const folder of ['pg_wal', 'pg_replslot', 'pg_stat_tmp']) {
        for (const entry of readdirSync(join(fresh, folder))) rmSync(join(fresh, folder, entry), { recursive: true, force: true })
      }
      this.#write(join(fresh, 'backup_label'), String(stopped?.['labelfile']))
      this.#write(join(fresh, 'standby.signal'), '')
    })
    renameSync(fresh, this.#data)
  }

  /** Whether it runs and says so within a second. */
  async answers(timeoutMs = 1_000): Promise<boolean> {
    return this.isRunning && (await connected(this.login, (ask) => ask('select 1'), timeoutMs).then(() => true, () => false))
  }

  /** It runs and answers nobody, those neither who are connected, until it is started or stopped. */
  async hang(): Promise<void> {
    const { clock } = this.#options
    this.#process?.hang()
    for (const end = clock.now() + 10_000; await this.answers(100); ) if (clock.now() > end) throw this.#failure('it answers still')
  }

  /** `primary`: where to stream from, for a server that is a standby. Resolves when it answers; one that hung goes on. */
  async start(primary?: Address): Promise<void> {
    if (this.#process?.isRunning === true) {
      this.#process.goOn()
      return this.#answering(this.#process)
    }
    const { bin, owner, clock, passwords } = this.#options
    const from = primary === undefined ? '' : `host=${primary.host} port=${primary.port} user=${replicator} password=${passwords[replicator]} application_name=${this.name}`
    // From 18 on reading has workers of its own, which a few rows do not need.
    const workers = Number(readFileSync(join(this.#data, 'PG_VERSION'), 'utf8')) >= 18 ? { io_method: 'sync' } : {}
    const all = { ...settings, ...workers, listen_addresses: this.at.host, port: String(this.at.port), cluster_name: this.name, primary_conninfo: from }
    this.#write(join(this.#data, 'playground.conf'), Object.entries(all).map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`).join(''))
    await this.#formerIsGone()
    this.#write(this.#log, '')
    const process = new PostgresProcess({ bin, data: this.#data, owner, clock, logFile: this.#log })
    this.#process = process
    await this.#answering(process)
  }

  async #answering(process: PostgresProcess): Promise<void> {
    const { clock } = this.#options
    for (const end = clock.now() + 30_000; ; await clock.sleep(25)) {
      if (!process.isRunning) throw this.#failure('it has ended')
      const answer = await connected(this.login, (ask) => ask('select 1'), 2_000).catch((error: unknown) => error as Error)
      if (!(answer instanceof Error)) return
      if (clock.now() < end) continue
      await process.stop()
      throw this.#failure(`it does not answer: ${answer.message}`)
    }
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
    this.#process = undefined
  }

  /** Stops it and removes its data. */
  async destroy(): Promise<void> {
    await this.stop()
    rmSync(this.#options.dir, { recursive: true, force: true })
  }

  get #log(): string {
    return join(this.#options.dir, 'postgres.log')
  }

  #makeRoom(): void {
    const { dir, owner } = this.#options
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    if (owner !== undefined) chownSync(dir, owner.uid, owner.gid)
    for (const path of [this.#data, `${this.#data}.new`]) rmSync(path, { recursive: true, force: true })
  }

  #write(path: string, text: string): void {
    writeFileSync(path, text, { mode: 0o600 })
    const { owner } = this.#options
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  }

  async #copy(from: string, to: string): Promise<void> {
    rmSync(to, { recursive: true, force: true })
    await this.#as('cp', ['-Rp', from, to])
  }

  async #as(program: string, args: readonly string[]): Promise<void> {
    const { owner, bin, dir } = this.#options
    try {
      await run(program, [...args], { ...owner, cwd: dir, env: { LC_ALL: 'C', PATH: `${bin}:/usr/bin:/bin` }, timeout: 60_000 })
    } catch (error) {
      throw this.#failure(`${program}: ${(error as { stderr?: string }).stderr?.trim() || String(error)}`)
    }
  }

  /** The server of a playground that was killed a moment ago ends by itself; two in one folder would not start. */
  async #formerIsGone(): Promise<void> {
    const { clock } = this.#options
    for (const end = clock.now() + 10_000; clock.now() < end && isAlive(formerPid(this.#data)); ) await clock.sleep(50)
  }

  #failure(message: string): Failure {
    const log = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n').slice(-3).join(' / ') : ''
    return new Failure({
      code: 'playground-database',
      subject: this.name,
      message: log === '' ? message : `${message} (${log.slice(-600)})`,
      hint: `Its log is ${this.#log}; plumb playground reset makes the databases anew.`,
      retry: 'later',
    })
  }
}

function formerPid(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    return Number.isInteger(pid) && pid > 1 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
