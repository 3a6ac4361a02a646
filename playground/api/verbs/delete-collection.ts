import { find } from '../backend.ts'
import { deleteSteps } from '../objects/delete-object.ts'
import { waiting } from '../objects/steps.ts'
import { presentList } from '../present.ts'
import { pageNotFound } from '../request.ts'
import { readDeletion } from './delete.ts'
import { select } from './list.ts'
import type { Verb } from './verb.ts'

/** Deletes what the selectors leave of one collection, and answers what that was. */
export const deleteCollectionVerb: Verb = async (backend, request, target) => {
  if (target.kind.namespaced && target.namespace === '') return pageNotFound
  const options = readDeletion(request, target.kind)
  const version = backend.storage.version
  const objects = select(backend, request, target, version)
  for (const { metadata } of objects) {
    await waiting(function* () {
      const live = find(backend, target.kind, metadata.namespace ?? '', metadata.name ?? '')
      if (live !== undefined && live.metadata.uid === metadata.uid) yield* deleteSteps(backend, target.kind, live, options)
    })
  }
  return presentList(request, target.kind, objects, { resourceVersion: String(version), continue: '' }, backend.clock.now())
}
