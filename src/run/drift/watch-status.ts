import { Failure, type FailureJson } from '#lib/failure.ts'
import { findWatch, saveWatch, type WatchRow } from '#store/watches.ts'
import type { Parts } from '../parts.ts'
import type { TargetName } from './targets.ts'

const countMs = 1_000

/** What is in the way of the whole target, beside what is in that of its kinds. */
export const theTarget = 'the target'

/** How the watch of a target stands, kept in the store for people to see: kind by kind, and down as a whole while any kind is. */
export class WatchStatus {
  readonly #parts: Parts
  readonly #target: TargetName
  readonly #kinds = new Map<string, 'starting' | 'watching' | { readonly since: number; readonly failure: FailureJson }>([[theTarget, 'starting']])
  #saved = ''
  #listedAt: number | null = null
  #saving: Promise<void> = Promise.resolve()
  #objects = 0
  #isCounting = false

  constructor(parts: Parts, target: TargetName) {
    this.#parts = parts
    this.#target = target
  }

  /** How many objects are held: told a moment later, many changes at once. */
  count(objects: number, signal: AbortSignal): void {
    this.#objects = objects
    if (this.#isCounting) return
    this.#isCounting = true
    void this.#parts.clock.sleep(countMs, signal).then(
      () => {
        this.#isCounting = false
        this.#save()
      },
      () => {},
    )
  }

  begin(kind: string): void {
    this.#kinds.set(kind, 'starting')
    this.#save()
  }

  forget(kind: string): void {
    this.#kinds.delete(kind)
    this.#save()
  }

  listed(kind: string): void {
    this.#kinds.set(kind, 'watching')
    this.#listedAt = this.#parts.clock.now()
    this.#save()
  }

  lost(kind: string, failure: Failure): void {
    const before = this.#kinds.get(kind)
    const since = typeof before === 'object' ? before.since : this.#parts.clock.now()
    this.#kinds.set(kind, { since, failure: new Failure({ ...failure.toJSON(), fields: {} }).toJSON() })
    this.#save()
  }

  found(kind: string): void {
    if (typeof this.#kinds.get(kind) === 'object') this.#kinds.set(kind, 'watching')
    this.#save()
  }

  /** Resolves when what was said so far is kept. */
  settled(): Promise<void> {
    return this.#saving
  }

  #save(): void {
    const states = [...this.#kinds.values()]
    const down = states.filter((one) => typeof one === 'object').sort((a, b) => a.since - b.since)
    const [first] = down
    const state = first !== undefined ? 'down' : states.includes('starting') ? 'starting' : 'watching'
    const text = JSON.stringify([state, first?.since, first?.failure.code, first?.failure.message, this.#objects, state === 'watching' ? this.#listedAt : 0])
    if (text === this.#saved) return
    this.#saved = text
    const row = { ...this.#target, state, failure: first?.failure ?? null, objects: this.#objects, listedAt: this.#listedAt } as const
    this.#saving = this.#saving.then(() => this.#write(row, first?.since)).catch(() => {}) // the store is away: who looks meets the same trouble, and tells
  }

  async #write(row: Omit<WatchRow, 'since'>, downSince: number | undefined): Promise<void> {
    const { sql, clock } = this.#parts
    const { environment, target, driver } = this.#target
    const before = await findWatch(sql, environment, target, driver)
    // Another process may have seen it go down: since when nothing is heard does not begin anew with a restart.
    const since = before?.state === row.state ? Math.min(before.since, downSince ?? before.since) : (downSince ?? clock.now())
    await saveWatch(sql, { environment, target, driver, state: row.state, since, failure: row.failure, objects: row.objects, listedAt: row.listedAt }, before, clock.now())
  }
}
