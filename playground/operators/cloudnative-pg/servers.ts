import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '#playground/databases/ask.ts'
import { keepPasswords } from '#playground/databases/passwords.ts'
import { replicator, superuser, type PostgresServer } from '#playground/databases/postgres-server.ts'
import { ReplicatedPostgres } from '#playground/databases/replicated-postgres.ts'
import type { PostgresRuntime } from '#playground/databases/runtime.ts'
import type { OperatorContext } from '#playground/operators/operator.ts'

/** What a `Cluster` wants of its servers. */
export type Wanted = { readonly instances: 1 | 2; readonly database: string; readonly owner: string; readonly password: string }

const port = 5432

/** The real servers of one `Cluster`: brought to what is wanted one step after another, in the background. */
export class ClusterServers {
  /** The pods' addresses, first the primary's. */
  readonly ips: string[] = []
  /** Why the last step went wrong. */
  problem: string | undefined
  timeline: number | undefined
  readonly #context: OperatorContext
  readonly #runtime: PostgresRuntime
  readonly #dir: string
  readonly #changed: () => void
  #pair: ReplicatedPostgres | undefined
  #working: Promise<void> | undefined
  #ended = false
  /** What the application's role has now, as far as it was told. */
  #password: string | undefined

  constructor(context: OperatorContext, runtime: PostgresRuntime, uid: string, changed: () => void) {
    this.#context = context
    this.#runtime = runtime
    this.#dir = join(runtime.dir, `${context.cluster}-${uid}`)
    this.#changed = changed
  }

  isReady(instance: number): boolean {
    return this.#server(instance)?.isRunning === true && this.timeline !== undefined
  }

  /** Takes one step towards it, if one is missing and none is under way. */
  want(wanted: Wanted): void {
    if (this.#ended || this.#working !== undefined) return
    const step = this.#stepTo(wanted)
    if (step === undefined) return
    this.#work(step)
  }

  /** Stops one server; the next look starts it again. */
  restart(instance: number, stopped: () => void): void {
    if (this.#working !== undefined) return
    this.#work(async () => {
      await this.#server(instance)?.stop()
      stopped()
    })
  }

  async stop(): Promise<void> {
    this.#ended = true
    await this.#working
    await this.#pair?.stop()
    for (const ip of this.ips.splice(0)) this.#context.addresses.releasePodIp(ip)
  }

  /** For good: its data too. */
  async destroy(): Promise<void> {
    await this.stop()
    await this.#pair?.destroy()
    rmSync(`${this.#dir}.json`, { force: true })
  }

  #stepTo(wanted: Wanted): (() => Promise<void>) | undefined {
    const pair = this.#pair
    if (pair === undefined) return () => this.#found(wanted)
    if (!pair.primary.isRunning || this.timeline === undefined) return () => this.#start(pair)
    if (wanted.password !== this.#password) return () => this.#setPassword(pair, wanted)
    if (wanted.instances === 1) return pair.replica === undefined ? undefined : () => this.#shrink(pair)
    if (pair.replica === undefined) return async () => pair.addReplica(await this.#claim())
    return pair.replica.isRunning ? undefined : () => pair.startReplica()
  }

  async #found(wanted: Wanted): Promise<void> {
    const primaryAt = await this.#claim()
    const passwords = keepPasswords(`${this.#dir}.json`, [superuser, replicator])
    const pair = new ReplicatedPostgres({ ...this.#runtime, name: 'cnpg', dir: this.#dir, primaryAt, passwords, clock: this.#context.clock, found: (primary) => foundApplication(primary, wanted) })
    this.#pair = pair
    await this.#start(pair)
  }

  async #start(pair: ReplicatedPostgres): Promise<void> {
    await pair.start()
    const [state] = await pair.primary.ask((ask) => ask('select timeline_id from pg_control_checkpoint()'))
    this.timeline = Number(state?.['timeline_id'])
  }

  /** The Secret says what the password is, also when it has changed. */
  async #setPassword(pair: ReplicatedPostgres, { owner, password }: Wanted): Promise<void> {
    await pair.primary.ask((ask) => ask(`alter role ${quoted(owner)} password ${literal(password)}`))
    this.#password = password
  }

  async #shrink(pair: ReplicatedPostgres): Promise<void> {
    await pair.removeReplica()
    const ip = this.ips.pop()
    if (ip !== undefined) this.#context.addresses.releasePodIp(ip)
  }

  async #claim(): Promise<Address> {
    const { addresses } = this.#context
    const ip = addresses.claimPodIp()
    this.ips.push(ip)
    return addresses.reach(ip, port)
  }

  #server(instance: number): PostgresServer | undefined {
    return instance === 1 ? this.#pair?.primary : this.#pair?.replica
  }

  #work(step: () => Promise<void>): void {
    this.#working = step()
      .then(
        () => void (this.problem = undefined),
        (error: unknown) => void (this.problem = error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        this.#working = undefined
        this.#changed()
      })
  }
}

/** The application's role and database, as `bootstrap.initdb` asks for them. */
async function foundApplication(primary: PostgresServer, { database, owner, password }: Wanted): Promise<void> {
  await primary.ask(async (ask) => {
    const [known] = await ask('select 1 from pg_roles where rolname = $1', [owner])
    if (known === undefined) await ask(`create role ${quoted(owner)} login password ${literal(password)}`)
    const [there] = await ask('select 1 from pg_database where datname = $1', [database])
    if (there === undefined) await ask(`create database ${quoted(database)} owner ${quoted(owner)}`)
  })
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`
