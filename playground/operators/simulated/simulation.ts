import type { JsonObject } from '#lib/json.ts'
import { controllerOf, keyOf, placeOf, timestamp } from '#playground/controllers/controller.ts'
import type { Stored } from '#playground/controllers/kinds.ts'
import type { Kind } from '#playground/controllers/typed-objects.ts'
import type { Operator } from '#playground/operators/operator.ts'

/** On every object of a simulated operator, so that nobody takes its status for a running thing. */
export const simulatedAnnotation = 'playground.plumbline.dev/simulated'

export type Simulated = Stored<JsonObject, JsonObject>

export type Simulation = {
  readonly definition: Operator['definition']
  readonly kind: Kind<Simulated>
  /** What does not run: it is in the annotation. */
  readonly what: string
  /** The field manager that the real operator writes as. */
  readonly manager: string
  /** What the real operator writes back to metadata and spec, in place. A second time it changes nothing. */
  readonly writeBack?: (object: Simulated) => void
  /** What the real operator puts on each object, and takes off when it is deleted. */
  readonly finalizer?: string
  /** What the real operator writes to metadata when it is done with a spec, after another one; `time` is RFC 3339. */
  readonly whenDone?: (object: Simulated, before: JsonObject, time: string) => void
  /** Whether the status says already that this generation is done. */
  readonly isSettled: (object: Simulated) => boolean
  /** How long it seems to work on each generation. */
  readonly workMs: number
  /** The status while it seems to work, and then. `time` is for what changes now. */
  readonly status: (object: Simulated, state: 'working' | 'done', time: string) => JsonObject
}

/** An operator of which only the writing is there: nothing is run, and nothing is made but a status and what stands in `writeBack`. */
export function simulatedOperator({ definition, kind, what, manager, writeBack, finalizer, whenDone, isSettled, workMs, status }: Simulation): Operator {
  const start = controllerOf(`simulated ${kind.kind}`, (context) => {
    const begun = new Map<string, { readonly generation: number; readonly at: number }>()
    /** The spec that was last carried out, by uid; after a restart the one that is found carried out. */
    const carriedOut = new Map<string, JsonObject>()
    const isDone = (object: Simulated, now: number): boolean => {
      const { uid, generation = 1 } = object.metadata
      const known = begun.get(uid)
      if (known === undefined && isSettled(object)) return true // before a restart
      const mine = known?.generation === generation ? known : { generation, at: now }
      begun.set(uid, mine)
      return now - mine.at >= workMs
    }
    const forget = (uid: string): void => {
      begun.delete(uid)
      carriedOut.delete(uid)
    }
    return {
      reconcile: (key) => {
        const { namespace, name } = placeOf(key)
        const { objects, clock } = context
        const edit = (part: 'object' | 'status', change: (live: Simulated) => void): Simulated | undefined => objects.edit(kind, { namespace, name }, part, manager, change)
        if (objects.get(kind, namespace, name)?.metadata.deletionTimestamp !== undefined) {
          if (finalizer !== undefined) edit('object', (live) => void (live.metadata.finalizers = live.metadata.finalizers?.filter((each) => each !== finalizer) ?? []))
          return undefined
        }
        const object = edit('object', (live) => {
          if (finalizer !== undefined) live.metadata.finalizers = [...new Set([...(live.metadata.finalizers ?? []), finalizer])]
          live.metadata.annotations = { ...live.metadata.annotations, [simulatedAnnotation]: `${what} does not run: a script writes this status` }
          writeBack?.(live)
        })
        if (object === undefined) return undefined
        const done = isDone(object, clock.now())
        const time = timestamp(clock.now())
        edit('status', (live) => void (live.status = status(live, done ? 'done' : 'working', time)))
        if (!done) return workMs
        const before = carriedOut.get(object.metadata.uid)
        carriedOut.set(object.metadata.uid, object.spec)
        if (before !== undefined && whenDone !== undefined) edit('object', (live) => whenDone(live, before, time))
        return undefined
      },
      watches: (queue) => [context.objects.watch(kind, ({ type, object }) => (type === 'DELETED' ? forget(object.metadata.uid) : queue.add(keyOf(object.metadata))))],
    }
  })
  return { definition, start }
}
