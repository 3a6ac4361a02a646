import type { Json, JsonObject } from '#lib/json.ts'
import { selectorMatches } from '#playground/api/admission/label-selector.ts'
import { controllerKey, isControlledBy, keyOf, manager, type ControllerContext } from './controller.ts'
import type { LabelSelector, Metadata } from './kinds.ts'
import { ownerReference } from './pods-of.ts'
import type { Kind } from './typed-objects.ts'

type Owner = { readonly apiVersion: string; readonly kind: string; readonly metadata: Metadata; readonly spec: { readonly selector: LabelSelector } }
type Owned = { metadata: Metadata }

const selects = ({ metadata, spec }: Owner, object: Owned): boolean =>
  metadata.namespace === object.metadata.namespace && selectorMatches(spec.selector as Json, object.metadata.labels as JsonObject | undefined)

/**
 * Makes what `owner` selects and nobody controls its own, and lets go what it controls and no longer selects: so a set that is made again goes on with the
 * pods that were left of it, and a pod with other labels is out of it. Source: kubernetes `pkg/controller/controller_ref_manager.go`.
 */
export function adopt<T extends Owned>({ objects }: ControllerContext, owner: Owner, kind: Kind<T>, mayBeAdopted: (object: T) => boolean): void {
  const { uid, namespace } = owner.metadata
  for (const object of objects.list(kind, namespace)) {
    const { ownerReferences = [], deletionTimestamp } = object.metadata
    const isOurs = isControlledBy(object.metadata, uid)
    if (isOurs === selects(owner, object) || (!isOurs && (deletionTimestamp !== undefined || ownerReferences.some(({ controller }) => controller === true) || !mayBeAdopted(object)))) continue
    objects.edit(kind, object.metadata, 'object', manager, (edited) => {
      const others = ownerReferences.filter((reference) => reference.uid !== uid)
      const references = isOurs ? others : [...others, ownerReference(owner)]
      if (references.length > 0) edited.metadata.ownerReferences = references
      else delete edited.metadata.ownerReferences
    })
  }
}

/** Whom an object's change concerns: who controls it, or all who might adopt it. */
export function ownersOf<T extends Owner>({ objects }: ControllerContext, kind: Kind<T>, object: Owned): string[] {
  const controlled = object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true
  if (!controlled) return objects.list(kind, object.metadata.namespace).filter((owner) => selects(owner, object)).map((owner) => keyOf(owner.metadata))
  const owner = controllerKey(object.metadata, kind.kind)
  return owner === undefined ? [] : [owner]
}
