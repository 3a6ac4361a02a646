import { find } from '../backend.ts'
import { presentObject } from '../present.ts'
import { reached } from '../reached.ts'
import { notFound } from '../status.ts'
import { parseVersion } from './list.ts'
import type { Verb } from './verb.ts'

export const getVerb: Verb = async (backend, request, target) => {
  const version = request.query.get('resourceVersion') ?? ''
  if (version !== '') await reached(backend, parseVersion(version), request.signal)
  const object = find(backend, target.kind, target.namespace, target.name)
  if (object === undefined) throw notFound(target.kind, target.name)
  return presentObject(request, target.kind, 200, object, backend.clock.now())
}
