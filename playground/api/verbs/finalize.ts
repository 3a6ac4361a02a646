import { isObject } from '#lib/json.ts'
import { find } from '../backend.ts'
import { readObject } from '../body.ts'
import { updateObject } from '../objects/update-object.ts'
import { presentObject } from '../present.ts'
import { notFound } from '../status.ts'
import type { Verb } from './verb.ts'

/** PUT to a namespace's `finalize`: only `spec.finalizers` counts; an empty one lets an ending namespace go. */
export const finalizeVerb: Verb = (backend, request, target) => {
  const live = find(backend, target.kind, '', target.name)
  if (live === undefined) throw notFound(target.kind, target.name)
  const { object } = readObject(request, target.kind)
  const finalizers = isObject(object.spec) && Array.isArray(object.spec.finalizers) ? object.spec.finalizers : []
  const next = { ...structuredClone(live), spec: { finalizers } }
  const written = updateObject(backend, target.kind, live, next, { subresource: 'finalize', manager: 'namespace-controller', dryRun: false, warnings: [], how: 'updated' })
  return presentObject(request, target.kind, 200, written.object, backend.clock.now())
}
