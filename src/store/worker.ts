import type { Clock } from '#lib/clock.ts'
import { asFailure, Failure } from '#lib/failure.ts'
import { backOff, claim, finish, giveBack, leaseLost, nextDue, renew, takeOver, workChannel, workerLockSpace, type Claim } from './queue.ts'
import type { Store } from './sql.ts'

/** What a handler is given beside the key. */
export type WorkContext = {
  readonly claim: Claim
  /** Aborted, with a `Failure`, when the lease is lost (`lease-lost`) or the worker stops (`worker-stopping`). */
  readonly signal: AbortSignal
  /** Until when (ms, this machine's clock) the lease stands for certain; moves on as it is renewed. */
  leaseUntil(): number
}

/** Resolves when the work is done, with the time (ms) at which the key is to be run again, if it is. Throws to be tried again later. */
export type Handle = (key: string, context: WorkContext) => Promise<void | { readonly again: number }>

export type WorkerEvent =
  | { readonly event: 'failed'; readonly key: string; readonly failure: Failure; readonly attempts: number; readonly retryAt: number }
  | { readonly event: 'lease-lost'; readonly key: string }
  | { readonly event: 'taken-over'; readonly keys: number }
  /** The store could not be reached: the worker tries again by itself. */
  | { readonly event: 'store-failed'; readonly failure: Failure }

export type WorkerOptions = {
  readonly store: Store
  readonly clock: Clock
  /** By the beginning of the key. No prefix is the beginning of another. */
  readonly handlers: Readonly<Record<string, Handle>>
  /** Keys at the same time. */
  readonly concurrency: number
  /** After how long (ms) without renewal others may take a key over. 30 s. */
  readonly leaseMs?: number
  /** How often (ms) to look without having been woken. 5 s. */
  readonly pollMs?: number
  readonly report?: (event: WorkerEvent) => void
}

type Running = { readonly claim: Claim; readonly abort: AbortController; leaseUntil: number; readonly done: Promise<void> }

/** How often (ms) to look for dead workers on a server. On PGlite there are none but those of an earlier process. */
const takeOverEvery = 300
const retryStoreAfter = 1_000

/**
 * Runs handlers for due keys until `stop`. One worker a process is enough; any number of processes may share a server.
 * At-least-once: a handler may see the same generation again after a crash, so effects are fenced (`queue.ts`) or fit to be repeated.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #prefixes: readonly string[]
  readonly #leaseMs: number
  readonly #running = new Map<number, Running>()
  readonly #stopping = new AbortController()
  #nudge = Promise.withResolvers<void>()
  #ended: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#prefixes = Object.keys(options.handlers)
    this.#leaseMs = options.leaseMs ?? 30_000
  }

  start(): void {
    this.#ended ??= this.#live()
  }

  /** Takes nothing more, tells the handlers (`worker-stopping`), and resolves when the last one has ended. What did not finish is due at once for others. */
  async stop(): Promise<void> {
    const reason = new Failure({ code: 'worker-stopping', subject: 'worker', message: 'This worker is stopping.', retry: 'later' })
    this.#stopping.abort(reason)
    for (const running of this.#running.values()) running.abort.abort(reason)
    await this.#ended
  }

  /** One life a session lock: where the lock goes, all claims under it are lost, and the worker begins again under a new number. */
  async #live(): Promise<void> {
    const { store } = this.#options
    let unlisten: (() => Promise<void>) | undefined
    while (!this.#stopping.signal.aborted) {
      const life = new AbortController()
      try {
        unlisten ??= await store.listen(workChannel, (key) => {
          // What others work on is no reason to look: with every change that would be a claim for each worker.
          if (key === '' || this.#prefixes.some((prefix) => key.startsWith(prefix))) this.#nudge.resolve()
        })
        const [row] = await store.query<{ owner: number }>(`select nextval('work_worker') as owner`)
        const owner = row?.owner ?? 0
        const release = await store.holdLock(workerLockSpace, owner, () => life.abort())
        try {
          const sides = [this.#renewing(owner, life.signal), this.#takingOver(life.signal)]
          await this.#loop(owner, life.signal)
          if (!life.signal.aborted) await this.#settle() // stopping: leases are renewed to the end
          life.abort()
          await Promise.all(sides)
        } finally {
          life.abort()
          await release().catch(() => {}) // the connection is gone, and the lock with it
        }
      } catch (error) {
        this.#storeFailed(error)
        await this.#pause(retryStoreAfter)
      }
    }
    await this.#settle() // handlers of an earlier life, that did not end when their lease was lost
    await unlisten?.().catch(() => {})
  }

  async #loop(owner: number, life: AbortSignal): Promise<void> {
    const { store, clock } = this.#options
    if (await takeOver(store, clock).catch(() => 0)) this.#nudge.resolve()
    while (!life.aborted && !this.#stopping.signal.aborted) {
      this.#nudge = Promise.withResolvers() // what is notified from here on is seen: the look comes after
      const free = this.#options.concurrency - this.#running.size
      let wait = this.#options.pollMs ?? 5_000
      if (free > 0) {
        try {
          const until = clock.now() + this.#leaseMs
          const claims = await claim(store, clock, { owner, prefixes: this.#prefixes, limit: free, leaseMs: this.#leaseMs })
          for (const claimed of claims) this.#begin(claimed, until, life)
          if (claims.length === free) continue
          const due = await nextDue(store, this.#prefixes)
          if (due !== undefined) wait = Math.max(0, Math.min(wait, due - clock.now()))
        } catch (error) {
          this.#storeFailed(error)
          wait = retryStoreAfter
        }
      }
      await this.#pause(wait, life)
    }
  }

  #begin(claimed: Claim, leaseUntil: number, life: AbortSignal): void {
    const abort = new AbortController()
    const lost = (): void => abort.abort(leaseLost(claimed))
    if (life.aborted) lost()
    life.addEventListener('abort', lost, { once: true })
    if (this.#stopping.signal.aborted) abort.abort(this.#stopping.signal.reason)
    const running: Running = {
      claim: claimed,
      abort,
      leaseUntil,
      done: Promise.resolve().then(async () => {
        try {
          await this.#work(running)
        } catch (error) {
          this.#storeFailed(error) // neither done nor given back: the lease ends it
        } finally {
          life.removeEventListener('abort', lost)
          this.#running.delete(claimed.fence)
          this.#nudge.resolve()
        }
      }),
    }
    this.#running.set(claimed.fence, running)
  }

  async #work(running: Running): Promise<void> {
    const { store, clock, handlers } = this.#options
    const { claim: claimed, abort } = running
    const handle = handlers[this.#prefixes.find((prefix) => claimed.key.startsWith(prefix)) ?? '']
    if (handle === undefined) throw new TypeError(`no handler for ${claimed.key}`)
    try {
      abort.signal.throwIfAborted() // claimed while the worker stopped, or under a lock that was lost meanwhile
      const result = await handle(claimed.key, { claim: claimed, signal: abort.signal, leaseUntil: () => running.leaseUntil })
      if (!isLost(abort.signal)) await finish(store, claimed, result?.again)
      else this.#report({ event: 'lease-lost', key: claimed.key })
    } catch (error) {
      const failure = asFailure(error, claimed.key)
      if (failure.code === 'lease-lost' || isLost(abort.signal)) this.#report({ event: 'lease-lost', key: claimed.key })
      else if (abort.signal.aborted) await giveBack(store, claimed, clock.now(), claimed.attempts - 1) // stopped: no attempt of its own
      else {
        const retryAt = clock.now() + backOff(claimed.attempts)
        this.#report({ event: 'failed', key: claimed.key, failure, attempts: claimed.attempts, retryAt })
        await giveBack(store, claimed, retryAt)
      }
    }
  }

  async #renewing(owner: number, life: AbortSignal): Promise<void> {
    const { store, clock } = this.#options
    while (await this.#sleep(this.#leaseMs / 3, life)) {
      const held = [...this.#running.values()].filter((running) => running.claim.owner === owner)
      if (held.length === 0) continue
      const until = clock.now() + this.#leaseMs
      const standing = await renew(store, clock, owner, held.map((running) => running.claim.fence), this.#leaseMs).catch((error: unknown) => {
        this.#storeFailed(error)
        return undefined
      })
      for (const running of held) {
        if (standing?.has(running.claim.fence) === true) running.leaseUntil = until
        else if (standing !== undefined || running.leaseUntil <= clock.now() + this.#leaseMs / 3) running.abort.abort(leaseLost(running.claim)) // certain, or about to be
      }
    }
  }

  async #takingOver(life: AbortSignal): Promise<void> {
    const { store, clock } = this.#options
    const every = store.kind === 'postgres' ? takeOverEvery : this.#leaseMs / 3
    while (await this.#sleep(every, life)) {
      const keys = await takeOver(store, clock).catch(() => 0) // the loop meets the same trouble, and tells
      if (keys > 0) this.#report({ event: 'taken-over', keys })
    }
  }

  /** Until the last handler has ended; each tells its own end to the store. */
  async #settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((running) => running.done))
  }

  /** Whether life goes on after it. */
  async #sleep(ms: number, life: AbortSignal): Promise<boolean> {
    await this.#options.clock.sleep(ms, life).catch(() => {})
    return !life.aborted
  }

  /** Until woken, stopped, or `ms` have gone. */
  async #pause(ms: number, life?: AbortSignal): Promise<void> {
    const over = new AbortController()
    const end = (): void => over.abort()
    const signals = [this.#stopping.signal, ...(life === undefined ? [] : [life])]
    if (signals.some((signal) => signal.aborted)) return
    for (const signal of signals) signal.addEventListener('abort', end, { once: true })
    await Promise.race([this.#nudge.promise, this.#options.clock.sleep(ms, over.signal).catch(() => {})])
    for (const signal of signals) signal.removeEventListener('abort', end)
    over.abort()
  }

  #storeFailed(error: unknown): void {
    this.#report({ event: 'store-failed', failure: asFailure(error, 'store') })
  }

  #report(event: WorkerEvent): void {
    this.#options.report?.(event)
  }
}

function isLost(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as Failure).code === 'lease-lost'
}
