import { z } from 'zod'
import type { DriverCall, Driver, Sighting, WatchedKind } from '#drivers/driver.ts'
import type { Environment } from '#model/config/environment.ts'
import { environmentSchema } from '#model/config/environment.ts'
import { Failure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Present } from '#model/field-facts.ts'
import type { Finding } from '#model/finding.ts'
import type { DeclaredField, Observation, Owner } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { listFindings } from '#store/findings.ts'
import { hold } from '#store/inventory.ts'
import { enqueue } from '#store/queue.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { Worker } from '#store/worker.ts'
import { systemClock } from '#lib/clock.ts'
import { claimOf } from '../claim.ts'
import type { Parts } from '../parts.ts'
import { EventFeed } from './event-feed.ts'
import { targetOfKey, watchKey } from './targets.ts'
import { watchTarget } from './watch-target.ts'

type Live = { readonly uid: string; readonly body: JsonObject; readonly owners: readonly Owner[]; readonly claim?: string; readonly terminating?: boolean; readonly delegated?: Present['delegated'] }

/** A place in memory that a fake driver looks at, whose watch says just what a test lets it say. */
export class FakePlace {
  readonly objects = new Map<ObjectKey, Live>()
  /** As long as it is set nothing can be read. */
  trouble: Failure | undefined
  /** Whether changes are told by the watch. */
  tells = true
  observed = 0
  lists = 0
  readonly #watches = new Map<(sighting: Sighting) => void, { readonly prefix: string; readonly list: () => void }>()
  /** Waits before an observation is answered. */
  beforeAnswer: (() => Promise<void>) | undefined

  set(key: ObjectKey, live: Live): void {
    this.objects.set(key, live)
    if (this.tells) this.tell(sightingOf(key, live))
  }

  delete(key: ObjectKey): void {
    this.objects.delete(key)
    if (this.tells) this.tell({ state: 'gone', key })
  }

  isWatched(kind: string): boolean {
    return [...this.#watches.values()].some(({ prefix }) => prefix === `${kind}/`)
  }

  tell(sighting: Sighting): void {
    for (const [told, { prefix }] of this.#watches) if (!('key' in sighting) || sighting.key.startsWith(prefix)) told(sighting)
  }

  /** Every watch has to begin anew. */
  relist(): void {
    for (const { list } of this.#watches.values()) list()
  }

  driver(): Driver {
    const refuse = (): never => {
      throw new Error('who watches changes nothing')
    }
    return {
      id: 'fake', movers: ['autoscaling/HorizontalPodAutoscaler//'], tracks: [], needs: [], config: z.strictObject({}), identify: async () => this.#orTrouble({ address: 'address', place: 'place' }), declare: refuse, preview: refuse, apply: refuse, recover: refuse, recognise: refuse, ready: refuse,
      observe: async (_call, keys) => {
        this.observed += keys.length
        const answers = keys.map((key) => this.#observation(key))
        await this.beforeAnswer?.()
        return answers
      },
      watch: (call, kind) => this.#watch(call, kind),
    }
  }

  async *#watch(call: DriverCall, { kind }: WatchedKind): AsyncGenerator<Sighting> {
    const prefix = `${kind.split('/').slice(0, 2).join('/')}/`
    const pending: Sighting[] = []
    let nudge = Promise.withResolvers<void>()
    const told = (sighting: Sighting): void => {
      pending.push(sighting)
      nudge.resolve()
    }
    const list = (): void => {
      this.lists += 1
      told({ state: 'listing' })
      for (const [key, live] of this.objects) if (key.startsWith(prefix)) told(sightingOf(key, live))
      told({ state: 'listed' })
    }
    call.signal.addEventListener('abort', () => nudge.resolve(), { once: true })
    this.#watches.set(told, { prefix, list })
    try {
      list()
      while (!call.signal.aborted) {
        const next = pending.shift()
        if (next !== undefined) yield next
        else {
          nudge = Promise.withResolvers()
          await nudge.promise
        }
      }
    } finally {
      this.#watches.delete(told)
    }
  }

  #observation(key: ObjectKey): Observation {
    if (this.trouble !== undefined) return { key, state: 'unknown', failure: this.trouble.toJSON() }
    const live = this.objects.get(key)
    return live === undefined ? { key, state: 'absent' } : ({ key, state: 'present', version: '1', delegated: [], terminating: false, ...live } satisfies Present)
  }

  #orTrouble<T>(value: T): T {
    if (this.trouble !== undefined) throw this.trouble
    return value
  }
}

function sightingOf(key: ObjectKey, { uid, body, terminating = false }: Live): Sighting {
  return { state: 'seen', key, uid, body, ...(terminating ? { terminating } : {}) }
}

export const map = (name: string): ObjectKey => `core/ConfigMap/shop/${name}`
export const declared: readonly DeclaredField[] = [{ path: 'data.a', git: '1' }]
const ours: Owner = { manager: 'plumbline', operation: 'Apply', subresource: '', paths: ['data.a'] }
export const asDeclared = (uid = 'u'): Live => ({ uid, body: { data: { a: '1' } }, owners: [ours] })
export const edited = (value: string, manager = 'kubectl-edit'): Live => ({ uid: 'u', body: { data: { a: value } }, owners: [{ manager, operation: 'Update', subresource: '', at: 1_000, paths: ['data.a'] }] })

/** What a watch needs of the world, on a store: one environment with one target. */
export async function watchedParts(store: Store, place: FakePlace, spec: object = {}): Promise<Parts> {
  const document: Environment = environmentSchema({}).parse({
    apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'staging' }, spec: { tier: 'staging', targets: { cluster: { kubernetes: { context: 'fake' } } }, ...spec },
  })
  const configuration = { environments: new Map([['staging', document]]), modules: new Map(), workspace: { spec: { repositories: {} } }, problems: [], broken: [] }
  await saveSnapshot(store, { id: 'snapshot', commits: {} }, systemClock.now())
  return { sql: store, clock: systemClock, drivers: [place.driver()], kubernetes: async () => ({}), secretDigest: (value: string) => value, configurations: { of: async () => configuration }, log: () => {} } as unknown as Parts
}

export async function holdMap(store: Store, name: string, fields: readonly DeclaredField[] = declared, run = 'run-1'): Promise<void> {
  await hold(store, { place: 'place', key: map(name), uid: 'u', environment: 'staging', module: 'web', desired: `sha256:${run}`, fields, run })
}

/** A watcher of the fake target, by a worker of its own, as a process has one. */
export async function startWatcher(store: Store, parts: Parts, options: { relistMs?: number; leaseMs?: number } = {}): Promise<{ stop: () => Promise<void> }> {
  const feed = new EventFeed(store, systemClock, () => {})
  await feed.start()
  const worker = new Worker({
    store,
    clock: systemClock,
    concurrency: 4,
    pollMs: 50,
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    handlers: { 'watch/': (key, context) => watchTarget(parts, feed, targetOfKey(key), claimOf(store, context), { relistMs: options.relistMs ?? 600_000 }) },
  })
  worker.start()
  await enqueue(store, systemClock, watchKey({ environment: 'staging', target: 'cluster', driver: 'fake' }))
  return {
    stop: async () => {
      await worker.stop()
      await feed.stop()
    },
  }
}

export const findingsIn = (store: Store): Promise<Finding[]> => listFindings(store, { environment: 'staging', limit: 100 })
