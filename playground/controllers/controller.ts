import type { Clock } from '#lib/clock.ts'
import type { Metadata } from './kinds.ts'
import { ReconcileQueue, type Reconcile } from './queue.ts'
import type { TypedObjects } from './typed-objects.ts'

export type ControllerContext = {
  readonly objects: TypedObjects
  readonly clock: Clock
  /** One line for whoever runs the playground; nothing that a cluster's user should need. */
  readonly log: (line: string) => void
}

/** Starts to watch and to reconcile; what it returns ends it. */
export type Controller = (context: ControllerContext) => () => void

/** The field manager that every controller but the kubelet writes as, as in kube-controller-manager. */
export const manager = 'kube-controller-manager'

export const keyOf = (metadata: { readonly namespace?: string; readonly name: string }): string => `${metadata.namespace ?? ''}/${metadata.name}`

export function placeOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** The key of the controlling owner of this kind, if there is one. */
export function controllerKey(metadata: Metadata, kind: string): string | undefined {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === kind)
  return owner === undefined ? undefined : keyOf({ namespace: metadata.namespace, name: owner.name })
}

export const isControlledBy = (metadata: Metadata, uid: string): boolean =>
  metadata.ownerReferences?.some((reference) => reference.controller === true && reference.uid === uid) === true

/** Makes a controller of one reconcile function and the watches that feed it. */
export function controllerOf(
  name: string,
  start: (context: ControllerContext) => { reconcile: Reconcile; watches: (queue: ReconcileQueue) => (() => void)[] },
): Controller {
  return (context) => {
    const { reconcile, watches } = start(context)
    const queue = new ReconcileQueue(context.clock, reconcile, (key, error) =>
      context.log(`${name}: ${key}: ${error instanceof Error ? error.message : String(error)}`),
    )
    const ends = watches(queue)
    return () => {
      for (const end of ends) end()
      queue.stop()
    }
  }
}
