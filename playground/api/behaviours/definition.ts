import { isObject } from '#lib/json.ts'
import { timeNow } from '../backend.ts'
import type { Behaviour } from './behaviours.ts'
import { unchangeable } from './immutable.ts'

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
  check: (object, live) => unchangeable(object, live, ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind']),
}
