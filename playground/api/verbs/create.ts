import { readObject, writeParameters } from '../body.ts'
import { createSteps } from '../objects/create-object.ts'
import { waiting } from '../objects/steps.ts'
import { presentObject } from '../present.ts'
import { schemaCauses } from '../schemas.ts'
import { badRequest, invalid } from '../status.ts'
import { checkBodyIdentity } from './identity.ts'
import type { Verb } from './verb.ts'

export const createVerb: Verb = async (backend, request, target) => {
  const { kind, namespace } = target
  const parameters = writeParameters(request, 'CreateOptions')
  const { object, duplicates } = readObject(request, kind)
  checkBodyIdentity(kind, namespace, target.name, object)
  if (object.kind !== kind.kind && !kind.custom) {
    throw badRequest(`${object.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (v1.${object.kind}) to (v1.${kind.kind}): unknown conversion`)
  }
  if (object.kind !== kind.kind) {
    const placed = kind.namespaced ? { ...object, metadata: { ...object.metadata, namespace } } : object
    const message = `Invalid value: ${JSON.stringify(object.kind)}: must be ${kind.kind}`
    const causes = [{ reason: 'FieldValueInvalid', message, field: 'kind' }, ...schemaCauses(kind, placed, undefined)]
    throw invalid({ group: kind.group, kind: object.kind }, object.metadata.name ?? '', causes)
  }
  const written = await waiting(() => createSteps(backend, kind, namespace, object, parameters, duplicates))
  return presentObject(request, kind, 201, written.object, backend.clock.now(), written.warnings)
}
