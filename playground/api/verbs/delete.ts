import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { find } from '../backend.ts'
import { readDryRun, readOptionsBody } from '../body.ts'
import type { Kind } from '../kinds.ts'
import { type Deletion, deleteSteps } from '../objects/delete-object.ts'
import { waiting } from '../objects/steps.ts'
import { presentObject } from '../present.ts'
import { type ApiRequest, json, type User, warningHeader } from '../request.ts'
import { badRequest, invalidOptions, notFound, preconditionFailed } from '../status.ts'
import type { Verb } from './verb.ts'

export const deleteVerb: Verb = async (backend, request, target) => {
  const { kind, namespace, name } = target
  const options = readDeletion(request, target.kind)
  const { gone, object, warnings } = await waiting(() => {
    const live = find(backend, kind, namespace, name)
    if (live === undefined) throw notFound(kind, name)
    checkPreconditions(kind, live, options.preconditions)
    return deleteSteps(backend, kind, live, options)
  })
  if (!gone || (kind.group === '' && kind.plural === 'pods')) return presentObject(request, kind, 200, object, backend.clock.now(), warnings)
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid: object.metadata.uid },
  }
  return json(200, status, warningHeader(warnings))
}

export type DeletionRequest = Deletion & { readonly preconditions: JsonObject }

/** `DeleteOptions` from the body, or else from the query. Where neither says it, a Job leaves its pods behind, as its first clients relied on. */
export function readDeletion(request: ApiRequest, kind: Kind): DeletionRequest {
  return deletionOf(readOptionsBody(request), request.query, request.user, kind)
}

export function deletionOf(body: JsonObject, query: URLSearchParams, user: User, kind: Kind): DeletionRequest {
  if (body.kind !== undefined && body.kind !== 'DeleteOptions') {
    const scheme = 'k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27'
    throw badRequest(`no kind ${JSON.stringify(body.kind)} is registered for version ${JSON.stringify(body.apiVersion ?? '')} in scheme "${scheme}"`)
  }
  const policy = body.propagationPolicy ?? query.get('propagationPolicy') ?? undefined
  const orphan = body.orphanDependents ?? (query.has('orphanDependents') ? query.get('orphanDependents') === 'true' : undefined)
  const dryRun = Array.isArray(body.dryRun) ? body.dryRun.map(String) : query.getAll('dryRun')
  const causes: Cause[] = []
  if (policy !== undefined && orphan !== undefined) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
      field: 'propagationPolicy',
    })
  }
  if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      field: 'propagationPolicy',
    })
  }
  if (causes.length > 0) throw invalidOptions('DeleteOptions', causes)
  const grace = typeof body.gracePeriodSeconds === 'number' ? body.gracePeriodSeconds : query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined
  return {
    propagation: orphan === true ? 'Orphan' : orphan === false ? 'Background' : ((policy as Deletion['propagation']) ?? (kind.group === 'batch' && kind.plural === 'jobs' ? 'Orphan' : undefined)),
    graceSeconds: grace !== undefined && Number.isFinite(grace) && grace >= 0 ? grace : undefined,
    dryRun: readDryRun(dryRun, 'DeleteOptions'),
    user,
    preconditions: isObject(body.preconditions) ? body.preconditions : {},
  }
}

export function checkPreconditions(kind: Kind, live: KubernetesObject, { uid, resourceVersion }: JsonObject): void {
  const name = live.metadata.name ?? ''
  if (typeof uid === 'string' && uid !== live.metadata.uid) {
    throw preconditionFailed(
      kind,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${String(live.metadata.uid)}). The object might have been deleted and then recreated`,
    )
  }
  if (typeof resourceVersion === 'string' && resourceVersion !== live.metadata.resourceVersion) {
    throw preconditionFailed(
      kind,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${String(live.metadata.resourceVersion)}). The object might have been modified`,
    )
  }
}
