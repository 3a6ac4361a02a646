import { deleteObject } from '../objects/delete-object.ts'
import { presentList } from '../present.ts'
import { pageNotFound } from '../request.ts'
import { readDeletion } from './delete.ts'
import { select } from './list.ts'
import type { Verb } from './verb.ts'

/** Deletes what the selectors leave of one collection, and answers what that was. */
export const deleteCollectionVerb: Verb = (backend, request, target) => {
  if (target.kind.namespaced && target.namespace === '') return pageNotFound
  const options = readDeletion(request)
  const version = backend.storage.version
  const objects = select(backend, request, target, version)
  for (const object of objects) deleteObject(backend, target.kind, object, options)
  return presentList(request, target.kind, objects, { resourceVersion: String(version), continue: '' }, backend.clock.now())
}
