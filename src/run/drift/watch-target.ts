import { asFailure, Failure } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import type { Held } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { Event } from '#store/events.ts'
import { findingsOfRun, objectsWithFindings } from '#store/findings.ts'
import { heldAfter, heldAt } from '#store/inventory.ts'
import { findRun } from '#store/runs.ts'
import { forgetWatch } from '#store/watches.ts'
import type { Claim } from '../claim.ts'
import type { Parts } from '../parts.ts'
import { placeOf } from '../place.ts'
import { patience } from '../trouble.ts'
import { auditOf, takeAudit } from './audit.ts'
import { followAuditFile } from './audit-file.ts'
import type { EventFeed } from './event-feed.ts'
import { kindOf, LiveIndex } from './live-index.ts'
import { lookAt, type Looked, type Looker } from './look.ts'
import { LookQueue } from './look-queue.ts'
import { driftPolicies } from './policies.ts'
import { revertByPolicy } from './revert.ts'
import { locateFindings } from './source.ts'
import { findTarget, lookingCall, type Target, type TargetName } from './targets.ts'
import { theTarget, WatchStatus } from './watch-status.ts'

export type Pace = {
  /** Every watch begins anew with a list after so long, whatever it heard. */
  readonly relistMs: number
}

/** Objects are looked at in lots of so many: one read of the store and one transaction a lot. */
const lot = 100
const inventoryPage = 500
const locateMs = 200

/**
 * Watches a target for as long as this process holds its key: everything that the inventory holds there is held against what is live, on every event, after
 * every list, and whenever we have changed something ourselves. Resolves when the target is another one by now, or is gone.
 */
export async function watchTarget(parts: Parts, feed: EventFeed, name: TargetName, claim: Claim, pace: Pace): Promise<{ again: number } | undefined> {
  const status = new WatchStatus(parts, name)
  for (let attempt = 1; ; attempt += 1) {
    const target = await findTarget(parts, name)
    if (target === undefined) return void (await forgetWatch(parts.sql, name.environment, name.target, name.driver))
    try {
      const place = await identified(parts, target, claim)
      return await new TargetWatch(parts, feed, target, claim, place, status, pace).run()
    } catch (error) {
      claim.signal.throwIfAborted()
      const failure = asFailure(error, `target ${name.target} of ${name.environment}`)
      if (failure.code.startsWith('store-') || failure.code === 'lease-lost' || failure.code === 'internal') throw failure
      status.lost(theTarget, failure)
    }
    await parts.clock.sleep(patience(attempt), claim.signal).catch(() => {})
    claim.signal.throwIfAborted()
  }
}

async function identified(parts: Parts, target: Target, claim: Claim): Promise<string> {
  return placeOf(parts, target.via, await lookingCall(parts, target, claim.signal), target.target)
}

class TargetWatch {
  readonly #parts: Parts
  readonly #feed: EventFeed
  readonly #claim: Claim
  readonly #place: string
  readonly #status: WatchStatus
  readonly #pace: Pace
  readonly #index = new LiveIndex()
  readonly #queue: LookQueue
  readonly #over = new AbortController()
  readonly #signal: AbortSignal
  /** The version in which each kind is watched. */
  readonly #kinds = new Map<string, string | undefined>()
  readonly #streams = new Set<Promise<void>>()
  /** The environment of runs that events named. */
  readonly #runs = new Map<string, string>()
  /** What was declared anew while a look was under way. */
  readonly #reloaded = new Set<ObjectKey>()
  #target: Target
  #looker: Looker | undefined
  #events: Event[] = []
  readonly #ready = Promise.withResolvers<void>()
  #handling: Promise<void> = this.#ready.promise
  /** What has a finding that is not resolved. */
  readonly #found = new Set<ObjectKey>()
  readonly #unlocated = new Map<string, Finding>()
  #locating: Promise<void> = Promise.resolve()
  #areMoversFollowed = false
  #failed: unknown

  constructor(parts: Parts, feed: EventFeed, target: Target, claim: Claim, place: string, status: WatchStatus, pace: Pace) {
    this.#parts = parts
    this.#feed = feed
    this.#target = target
    this.#claim = claim
    this.#place = place
    this.#status = status
    this.#pace = pace
    this.#queue = new LookQueue(parts.clock)
    this.#signal = AbortSignal.any([claim.signal, this.#over.signal])
  }

  async run(): Promise<{ again: number }> {
    // First heard, then read: what changes in between is heard of.
    const unsubscribe = this.#feed.subscribe((event) => this.#hear(event))
    try {
      await this.#setOut()
      await this.#load()
      this.#ready.resolve()
      this.#followAudit()
      await this.#looks()
      this.#claim.signal.throwIfAborted()
      if (this.#failed !== undefined) throw this.#failed
      return { again: this.#parts.clock.now() }
    } finally {
      unsubscribe()
      this.#over.abort()
      this.#ready.resolve()
      await Promise.all([this.#handling, this.#locating, ...this.#streams])
      await this.#status.settled()
    }
  }

  async #setOut(): Promise<void> {
    const call = await lookingCall(this.#parts, this.#target, this.#signal)
    const policies = await driftPolicies(this.#parts, this.#target)
    this.#looker = { parts: this.#parts, claim: this.#claim, target: this.#target, call, place: this.#place, policies, versionOf: (key) => this.#kinds.get(kindOf(key)), watched: () => this.#index.size, isFound: (key) => this.#found.has(key), told: { due: 0 } }
  }

  async #load(): Promise<void> {
    const { sql } = this.#parts
    const kinds = new Map<string, Held>()
    for (let after = ''; ; ) {
      const page = await heldAfter(sql, this.#place, this.#target.environment, after, inventoryPage)
      for (const held of page) {
        this.#index.expect(held)
        kinds.set(kindOf(held.key), held)
      }
      const last = page.at(-1)
      if (last === undefined || page.length < inventoryPage) break
      after = last.key
    }
    // Only now: what is listed before it is expected would be a stranger, and every one of them be looked at.
    for (const held of kinds.values()) this.#follow(held)
    this.#status.count(this.#index.size, this.#signal)
    this.#status.forget(theTarget)
    // What was found before is looked at again, whether or not anything is heard of it.
    const found = await objectsWithFindings(sql, this.#target.environment, this.#place)
    for (const key of found) {
      this.#index.mark(key)
      this.#found.add(key)
    }
    this.#queue.behind(found)
  }

  /** Each kind of what is held is watched, once. */
  #follow(held: Pick<Held, 'key' | 'apiVersion'>): void {
    const kind = kindOf(held.key)
    if (this.#kinds.has(kind)) return
    this.#kinds.set(kind, held.apiVersion ?? undefined)
    this.#status.begin(kind)
    const stream = this.#stream(held.key, kind).catch((error: unknown) => this.#fail(error))
    this.#streams.add(stream)
  }

  async #stream(key: ObjectKey, kind: string): Promise<void> {
    const apiVersion = this.#kinds.get(kind)
    for (let attempt = 1; !this.#signal.aborted; attempt += 1) {
      const turn = new AbortController()
      void this.#parts.clock.sleep(this.#pace.relistMs, AbortSignal.any([this.#signal, turn.signal])).then(() => turn.abort(), () => {})
      try {
        const signal = AbortSignal.any([this.#signal, turn.signal])
        const call = { ...(this.#looker as Looker).call, signal }
        for await (const one of this.#target.via.watch(call, { kind: key, ...(apiVersion === undefined ? {} : { apiVersion }) })) {
          if (one.state === 'seen') {
            const seen = one.terminating === true ? this.#index.seeLeaving(one.key) : this.#index.see(one.key, one.uid, one.body)
            if (seen === 'look') this.#queue.add([one.key])
            else if (seen === 'stranger') this.#queue.soon(one.key)
          } else if (one.state === 'gone') this.#queue.add([one.key, ...this.#index.beside(one.key)])
          else if (one.state === 'listing') this.#index.begin(key)
          else if (one.state === 'listed') {
            attempt = 1
            this.#queue.behind(this.#index.end(key))
            this.#status.count(this.#index.size, this.#signal)
            this.#status.listed(kind)
          } else if (one.state === 'lost') this.#status.lost(kind, one.failure)
          else this.#status.found(kind)
        }
      } catch (error) {
        if (!this.#signal.aborted && !turn.signal.aborted) {
          this.#status.lost(kind, asFailure(error, kind))
          await this.#parts.clock.sleep(patience(attempt), this.#signal).catch(() => {})
        }
      } finally {
        turn.abort()
      }
    }
  }

  /** Who rightly moves something is watched from when anything is left to it. Where that may not be, the next list looks. */
  #followMovers(): void {
    const kinds = this.#areMoversFollowed ? [] : (this.#target.via.movers ?? [])
    this.#areMoversFollowed = true
    for (const kind of kinds) this.#streams.add(this.#moverStream(kind).catch((error: unknown) => this.#fail(error)))
  }

  async #moverStream(kind: ObjectKey): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        for await (const one of this.#target.via.watch({ ...(this.#looker as Looker).call, signal: this.#signal }, { kind, whose: 'everybody' })) {
          if (one.state === 'gone') this.#queue.add(this.#index.beside(one.key))
          else if (one.state === 'listed') this.#queue.behind(this.#index.yielded())
        }
      } catch (error) {
        if (!this.#signal.aborted) this.#parts.log(`watch of ${kindOf(kind)}: ${asFailure(error, kind).message}`)
      }
      await this.#parts.clock.sleep(this.#pace.relistMs, this.#signal).catch(() => {})
    }
  }

  /** A target’s audit log that is a file of this machine is followed beside the watch. */
  #followAudit(): void {
    const target = this.#target
    const audit = auditOf(target)
    if (audit === undefined || !('file' in audit)) return
    const { clock, log } = this.#parts
    const trouble = (failure: Failure): void => log(`audit log ${audit.file}: ${failure.message}`)
    this.#streams.add(followAuditFile({ path: audit.file, clock, take: (events) => takeAudit(this.#parts, target, events, this.#signal), trouble }, this.#signal).catch((error: unknown) => this.#fail(error)))
  }

  async #looks(): Promise<void> {
    while (!this.#signal.aborted) {
      const keys = await this.#queue.take(lot, this.#signal)
      if (keys.length === 0) return
      try {
        this.#reloaded.clear()
        const looked = await lookAt(this.#looker as Looker, keys)
        for (const one of looked) this.#settle(one)
        const findings = looked.flatMap((one) => one.findings)
        await revertByPolicy(this.#parts, findings)
        this.#locate(findings)
      } catch (error) {
        if (this.#signal.aborted) return
        const failure = asFailure(error, `watch of ${this.#target.target}`)
        if (failure.code.startsWith('store-') || failure.code === 'lease-lost') throw failure
        this.#parts.log(`watch ${this.#target.environment}/${this.#target.target}: ${failure.code}: ${failure.message}`)
        for (const key of keys) this.#queue.later(key)
      }
    }
  }

  /** Beside the looks, which do not wait for Git; many at once. */
  #locate(findings: readonly Finding[]): void {
    const isWaiting = this.#unlocated.size > 0
    for (const finding of findings) if (finding.source === null) this.#unlocated.set(finding.id, finding)
    if (isWaiting || this.#unlocated.size === 0) return
    this.#locating = this.#locating.then(async () => {
      await this.#parts.clock.sleep(locateMs, this.#signal).catch(() => {})
      const all = [...this.#unlocated.values()]
      this.#unlocated.clear()
      if (!this.#signal.aborted) await locateFindings(this.#parts, this.#target.environment, all, this.#signal)
    }).catch((error: unknown) => this.#fail(error))
  }

  #settle({ key, said, observation, findings }: Looked): void {
    if (findings.length > 0) this.#found.add(key)
    if (said === 'later') return this.#queue.later(key)
    // What was declared may be something else by now.
    if (this.#reloaded.has(key)) return this.#queue.add([key])
    const isDrifted = said === 'drifted' || findings.length > 0
    // It came back while it was looked at, and that event was no reason to look then.
    if (isDrifted && this.#index.mark(key) === 'seen as fine') return this.#queue.later(key)
    this.#queue.done(key)
    if (said === 'yielded') this.#followMovers()
    if (findings.length === 0 && said !== 'ours') this.#found.delete(key)
    if (!isDrifted && (said === 'fine' || said === 'yielded') && observation !== undefined) this.#index.settle(key, observation.uid, observation.body, said)
  }

  /** Events come one after the other; what they ask of the store is asked in that order. */
  #hear(event: Event): void {
    this.#events.push(event)
    if (this.#events.length > 1) return
    this.#handling = this.#handling.then(async () => {
      const events = this.#events
      this.#events = []
      if (!this.#signal.aborted) await this.#handle(events)
    }).catch((error: unknown) => this.#fail(error))
  }

  async #handle(events: readonly Event[]): Promise<void> {
    const effects: ObjectKey[] = []
    for (const { kind, data } of events) {
      if (kind === 'effect' && typeof data['key'] === 'string' && (await this.#isHere(String(data['run'])))) effects.push(data['key'])
      if (kind === 'audit' && data['environment'] === this.#target.environment && data['target'] === this.#target.target && Array.isArray(data['objects'])) this.#queue.add(data['objects'].map(String))
      if (kind === 'record' && data['environment'] === this.#target.environment && typeof data['run'] === 'string') this.#queue.add((await findingsOfRun(this.#parts.sql, data['run'])).map(({ object }) => object))
    }
    if (effects.length > 0) await this.#reload([...new Set(effects)])
    // A policy is accepted by a run.
    if (events.some(({ kind, data }) => kind === 'snapshot' || (kind === 'record' && data['kind'] === 'run' && data['environment'] === this.#target.environment))) await this.#configure()
  }

  /** We have changed something ourselves: it is held against what is declared by now. */
  async #reload(keys: readonly ObjectKey[]): Promise<void> {
    const rows = new Map((await heldAt(this.#parts.sql, this.#place, keys)).filter(({ environment }) => environment === this.#target.environment).map((row) => [row.key, row]))
    for (const key of keys) {
      const held = rows.get(key)
      this.#reloaded.add(key)
      if (held === undefined) {
        this.#index.forget(key)
        this.#queue.add([key, ...this.#index.beside(key)])
      } else {
        if (this.#index.expect(held) === 'look') this.#queue.add([key])
        else this.#queue.drop(key)
        this.#follow(held)
      }
    }
    this.#status.count(this.#index.size, this.#signal)
  }

  /** The target, its policies or its modules’ may be others now. */
  async #configure(): Promise<void> {
    const now = await findTarget(this.#parts, this.#target).catch(() => this.#target)
    if (now === undefined || JSON.stringify(now.config) !== JSON.stringify(this.#target.config)) return this.#over.abort()
    this.#target = now
    const before = this.#looker?.policies.digest
    await this.#setOut()
    // What is done about what was found is something else, also about what was ignored.
    if (this.#looker?.policies.digest !== before) this.#queue.behind([...(await objectsWithFindings(this.#parts.sql, now.environment, this.#place)), ...this.#index.marked()])
  }

  async #isHere(run: string): Promise<boolean> {
    const known = this.#runs.get(run) ?? (await findRun(this.#parts.sql, run))?.environment
    if (known === undefined) return false
    if (this.#runs.size > 1_000) this.#runs.clear()
    this.#runs.set(run, known)
    return known === this.#target.environment
  }

  #fail(error: unknown): void {
    if (this.#signal.aborted) return
    this.#failed ??= error
    this.#over.abort(new Failure({ code: 'worker-stopping', subject: 'watch', message: 'a part of it failed', retry: 'later' }))
  }
}
