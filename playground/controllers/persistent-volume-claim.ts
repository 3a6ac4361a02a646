import { controllerOf, keyOf, manager, placeOf, type ControllerContext } from './controller.ts'
import { claims, pods } from './kinds.ts'
import { isFinished } from './pods-of.ts'

const protection = 'kubernetes.io/pvc-protection'

/**
 * Binds claims at once (there is one node, and a folder is all that a volume is), and holds a deleted claim while a pod uses it.
 * There are no PersistentVolume objects: `spec.volumeName` names the folder.
 */
export const persistentVolumeClaimController = controllerOf('persistentvolumeclaim', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(claims, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      const { namespace } = object.metadata
      for (const { persistentVolumeClaim } of object.spec.volumes ?? []) {
        if (persistentVolumeClaim !== undefined) queue.add(keyOf({ namespace, name: persistentVolumeClaim.claimName }))
      }
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): undefined {
  const { objects } = context
  const { namespace, name } = placeOf(key)
  const claim = objects.get(claims, namespace, name)
  if (claim === undefined) return
  if (claim.metadata.deletionTimestamp !== undefined) {
    if (isUsed(context, namespace, name)) return
    objects.edit(claims, claim.metadata, 'object', manager, (object) => {
      object.metadata.finalizers = object.metadata.finalizers?.filter((finalizer) => finalizer !== protection) ?? []
    })
    return
  }
  objects.edit(claims, claim.metadata, 'object', manager, (object) => {
    if (object.metadata.finalizers?.includes(protection) !== true) object.metadata.finalizers = [...(object.metadata.finalizers ?? []), protection]
    object.spec.volumeName ??= `pvc-${object.metadata.uid}`
    object.metadata.annotations = { ...object.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' }
  })
  objects.edit(claims, claim.metadata, 'status', manager, (object) => {
    const storage = object.spec.resources?.requests?.storage
    object.status = {
      ...object.status,
      phase: 'Bound',
      accessModes: object.spec.accessModes ?? ['ReadWriteOnce'],
      ...(storage === undefined ? {} : { capacity: { storage } }),
    }
  })
}

function isUsed({ objects }: ControllerContext, namespace: string, name: string): boolean {
  return objects.list(pods, namespace).some((pod) => !isFinished(pod) && pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name))
}
