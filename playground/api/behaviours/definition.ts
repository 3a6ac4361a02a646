import { isObject } from '#lib/json.ts'
import { timeNow } from '../backend.ts'
import type { Behaviour } from './behaviours.ts'
import { unchangeable } from './immutable.ts'

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
  },
  check: (object, live) => unchangeable(object, live, ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind']),
}
