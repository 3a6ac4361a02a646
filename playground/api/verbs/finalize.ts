import { isObject } from '#lib/json.ts'
import { find } from '../backend.ts'
import { readObject } from '../body.ts'
import { waiting } from '../objects/steps.ts'
import { updateSteps } from '../objects/update-object.ts'
import { presentObject } from '../present.ts'
import { notFound } from '../status.ts'
import type { Verb } from './verb.ts'

/** PUT to a namespace's `finalize`: only `spec.finalizers` counts; an empty one lets an ending namespace go. */
export const finalizeVerb: Verb = async (backend, request, target) => {
  const { object } = readObject(request, target.kind)
  const finalizers = isObject(object.spec) && Array.isArray(object.spec.finalizers) ? object.spec.finalizers : []
  const written = await waiting(() => {
    const live = find(backend, target.kind, '', target.name)
    if (live === undefined) throw notFound(target.kind, target.name)
    const next = { ...structuredClone(live), spec: { finalizers } }
    return updateSteps(backend, target.kind, live, next, { subresource: 'finalize', manager: 'namespace-controller', user: request.user, dryRun: false, warnings: [], how: 'updated' })
  })
  return presentObject(request, target.kind, 200, written.object, backend.clock.now())
}
