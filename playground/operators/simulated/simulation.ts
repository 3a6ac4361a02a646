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
  /** Whether the status says already that this generation is done. */
  readonly isSettled: (object: Simulated) => boolean
  /** How long it seems to work on each generation. */
  readonly workMs: number
  /** The status while it seems to work, and then. `time` is for what changes now. */
  readonly status: (object: Simulated, state: 'working' | 'done', time: string) => JsonObject
}

/** An operator of which only the writing is there: nothing is run, and nothing is made but a status and what stands in `writeBack`. */
export function simulatedOperator({ definition, kind, what, manager, writeBack, isSettled, workMs, status }: Simulation): Operator {
  const start = controllerOf(`simulated ${kind.kind}`, (context) => {
    const begun = new Map<string, { readonly generation: number; readonly at: number }>()
    const isDone = (object: Simulated, now: number): boolean => {
      const { uid, generation = 1 } = object.metadata
      const known = begun.get(uid)
      if (known === undefined && isSettled(object)) return true // before a restart
      const mine = known?.generation === generation ? known : { generation, at: now }
      begun.set(uid, mine)
      return now - mine.at >= workMs
    }
    return {
      reconcile: (key) => {
        const { namespace, name } = placeOf(key)
        const { objects, clock } = context
        if (objects.get(kind, namespace, name)?.metadata.deletionTimestamp !== undefined) return undefined
        const object = objects.edit(kind, { namespace, name }, 'object', manager, (live) => {
          live.metadata.annotations = { ...live.metadata.annotations, [simulatedAnnotation]: `${what} does not run: a script writes this status` }
          writeBack?.(live)
        })
        if (object === undefined) return undefined
        const done = isDone(object, clock.now())
        objects.edit(kind, { namespace, name }, 'status', manager, (live) => {
          live.status = status(live, done ? 'done' : 'working', timestamp(clock.now()))
        })
        return done ? undefined : workMs
      },
      watches: (queue) => [context.objects.watch(kind, ({ type, object }) => (type === 'DELETED' ? void begun.delete(object.metadata.uid) : queue.add(keyOf(object.metadata))))],
    }
  })
  return { definition, start }
}
