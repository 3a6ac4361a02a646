import { find } from '../backend.ts'
import { presentObject } from '../present.ts'
import { notFound } from '../status.ts'
import type { Verb } from './verb.ts'

export const getVerb: Verb = (backend, request, target) => {
  const object = find(backend, target.kind, target.namespace, target.name)
  if (object === undefined) throw notFound(target.kind, target.name)
  return presentObject(request, target.kind, 200, object, backend.clock.now())
}
