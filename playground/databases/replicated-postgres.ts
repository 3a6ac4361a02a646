import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFor } from './programs.ts'
import type { Address } from './ask.ts'
import { PostgresServer, replicator, type PostgresServerOptions } from './postgres-server.ts'

export type ReplicatedPostgresOptions = Omit<PostgresServerOptions, 'dir' | 'name'> & {
  readonly name: string
  /** Its servers' folders are made in it. */
  readonly dir: string
  readonly primaryAt: Address
  /** Without it there is a primary alone. */
  readonly replicaAt?: Address
  /** Done on the new primary before it counts as there: roles, databases, schemas. Done again where it was interrupted. */
  readonly found: (primary: PostgresServer) => Promise<void>
}

/** A primary, and a replica that streams from it. */
export class ReplicatedPostgres {
  readonly primary: PostgresServer
  #replica: PostgresServer | undefined
  readonly #options: ReplicatedPostgresOptions

  constructor(options: ReplicatedPostgresOptions) {
    const { name, dir, primaryAt, replicaAt } = options
    this.#options = options
    this.primary = new PostgresServer({ ...options, name: `${name}-primary`, dir: join(dir, 'primary') }, primaryAt)
    this.#replica = replicaAt === undefined ? undefined : this.#replicaOf(replicaAt)
  }

  get replica(): PostgresServer | undefined {
    return this.#replica
  }

  /** Adds a replica to a primary that runs. */
  async addReplica(at: Address): Promise<void> {
    this.#replica ??= this.#replicaOf(at)
    await this.startReplica()
  }

  /** Stops the replica and removes its data. */
  async removeReplica(): Promise<void> {
    await this.#replica?.destroy()
    this.#replica = undefined
  }

  #replicaOf(at: Address): PostgresServer {
    const { name, dir } = this.#options
    return new PostgresServer({ ...this.#options, name: `${name}-replica`, dir: join(dir, 'replica') }, at)
  }

  /** Starts what is there, and makes what is not. Failures: `playground-database`. */
  async start(): Promise<void> {
    const { dir, owner, passwords, found } = this.#options
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    openFor(owner, [dir])
    const founded = join(dir, 'founded')
    if (!existsSync(founded)) await this.destroy()
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    openFor(owner, [dir])
    if (!existsSync(founded)) {
      await this.primary.create()
      await this.primary.start()
      await this.primary.ask((ask) => ask(`create role ${replicator} login replication password '${passwords[replicator]}'`))
      await found(this.primary)
      writeFileSync(founded, '')
    }
    await this.primary.start()
    await this.startReplica()
  }

  async startReplica(): Promise<void> {
    if (this.replica === undefined) return
    if (!this.replica.exists) await this.replica.cloneFrom(this.primary)
    await this.replica.start(this.primary.at)
  }

  /** The replica as a fresh copy of the primary, whatever has become of it. `tell` hears what is under way. */
  async rebuildReplica(tell: (doing: string) => void): Promise<void> {
    await this.primary.start()
    tell('ending what was the replica')
    await this.replica?.destroy()
    tell('copying the primary, and starting the copy as its replica')
    await this.startReplica()
  }

  async stop(): Promise<void> {
    await this.replica?.stop()
    await this.primary.stop()
  }

  async destroy(): Promise<void> {
    await this.replica?.destroy()
    await this.primary.destroy()
    rmSync(this.#options.dir, { recursive: true, force: true })
  }
}
