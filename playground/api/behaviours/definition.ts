import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { timeNow } from '../backend.ts'
import type { Behaviour } from './behaviours.ts'
import { invalidValue, unchangeable } from './immutable.ts'

/** Holds a definition until its objects are gone (`definition-cleanup.ts`). */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** Definitions are accepted and established at once: names cannot be taken here by anyone else. */
export const definition: Behaviour = {
  create: (object, _options, backend) => {
    const time = timeNow(backend)
    const spec = isObject(object.spec) ? object.spec : {}
    const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : []
    object.status = {
      conditions: [
        { type: 'NamesAccepted', status: 'True', lastTransitionTime: time, reason: 'NoConflicts', message: 'no conflicts found' },
        { type: 'Established', status: 'True', lastTransitionTime: time, reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
      ],
      acceptedNames: isObject(spec.names) ? spec.names : {},
      storedVersions: versions.filter((version) => version.storage === true).map((version) => String(version.name)),
    }
  },
  admitted: (object) => {
    const finalizers = Array.isArray(object.metadata.finalizers) ? object.metadata.finalizers : []
    if (!finalizers.includes(cleanupFinalizer)) object.metadata = { ...object.metadata, finalizers: [...finalizers, cleanupFinalizer] }
  },
  update: (object, live) => {
    const [was, is] = [live, object].map(({ metadata }) => (Array.isArray(metadata.finalizers) ? metadata.finalizers : []))
    const kept = live.metadata.deletionTimestamp === undefined && was?.includes(cleanupFinalizer) === true && is?.includes(cleanupFinalizer) === false
    if (kept) object.metadata.finalizers = [...is, cleanupFinalizer]
    // What was ever a version to store in stays in the list until somebody who has migrated takes it out.
    const stored = storedVersions(object)
    const now = versionsOf(object).filter((version) => version.storage === true).map((version) => String(version.name))
    const added = now.filter((version) => !stored.includes(version))
    if (added.length > 0) object.status = { ...(isObject(object.status) ? object.status : {}), storedVersions: [...stored, ...added] }
  },
  check: (object, live) => [...unchangeable(object, live, ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind']), ...lostVersions(object)],
}

function versionsOf(object: KubernetesObject): JsonObject[] {
  const versions = isObject(object.spec) ? object.spec.versions : undefined
  return Array.isArray(versions) ? versions.filter(isObject) : []
}

function storedVersions(object: KubernetesObject): string[] {
  const stored = isObject(object.status) ? object.status.storedVersions : undefined
  return Array.isArray(stored) ? stored.map(String) : []
}

/** A version that objects may still be stored in must stay defined. */
function lostVersions(object: KubernetesObject): Cause[] {
  const defined = versionsOf(object).map(({ name }) => name)
  return storedVersions(object).flatMap((version, i) => {
    if (defined.includes(version)) return []
    const why = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`
    return [invalidValue(`status.storedVersions[${i}]`, version, why)]
  })
}
