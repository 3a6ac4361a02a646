import type { KubernetesObject } from '#playground/contract.ts'
import { checkEscalation } from '../authorization/escalation.ts'
import { type Backend, find, store, timeNow } from '../backend.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { WriteParameters } from '../body.ts'
import type { Kind } from '../kinds.ts'
import { alreadyExists, internal } from '../status.ts'
import { decoded } from '../schemas.ts'
import { checkNamespace, decode, judge, validate } from './admit.ts'
import { resetOf } from './reset.ts'
import { checkSize } from './size.ts'
import type { Steps } from './steps.ts'

/** Whether the client said the name, or the server made it. */
type Named = 'stated' | 'generated'

export type Written = { readonly object: KubernetesObject; readonly warnings: readonly string[]; readonly created: boolean }

/** Stores a new object. `sent` is the caller's to give away. */
export function* createSteps(
  backend: Backend,
  kind: Kind,
  namespace: string,
  sent: KubernetesObject,
  parameters: WriteParameters,
  duplicates: readonly string[] = [],
): Steps<Written> {
  if (sent.metadata.resourceVersion !== undefined && sent.metadata.resourceVersion !== '') {
    throw internal('resourceVersion should not be set on objects to be created')
  }
  const { object, problems } = decode(kind, sent, duplicates)
  const warnings = judge(problems, parameters.fieldValidation, kind)
  const prepared = prepareNew(backend, kind, namespace, object)
  const own = (whole: KubernetesObject): KubernetesObject => {
    const { managedFields, ...metadata } = whole.metadata
    return backend.fields.update({
      live: undefined,
      next: { ...whole, metadata: managedFields === undefined ? metadata : whole.metadata },
      manager: parameters.manager,
      time: timeNow(backend),
      schema: kind.schema,
      subresource: '',
      reset: resetOf(kind, ''),
      versions: kind.versions,
    })
  }
  return yield* storeNew(backend, kind, prepared, parameters, [...warnings], own, (sent.metadata.name ?? '') === '' ? 'generated' : 'stated')
}

/**
 * Stores a new object that is prepared, if nothing speaks against it. `own` writes down whose its fields are: before webhooks are asked, so that what
 * they put in is nobody's, as on a real server.
 */
export function* storeNew(
  backend: Backend,
  kind: Kind,
  prepared: KubernetesObject,
  { user, dryRun, manager }: Pick<WriteParameters, 'user' | 'dryRun' | 'manager'>,
  warnings: string[],
  own: (whole: KubernetesObject) => KubernetesObject,
  named: Named = 'stated',
): Steps<Written> {
  const { name = '', namespace = '' } = prepared.metadata
  checkNamespace(backend, kind, namespace, name)
  checkEscalation(backend.authorizer, user, kind, prepared, undefined)
  const attributes = {
    operation: 'CREATE' as const,
    kind,
    subresource: '',
    namespace: isNamespace(kind) ? name : namespace,
    name: named === 'generated' ? '' : name,
    oldObject: undefined,
    user,
    dryRun,
    manager,
    warnings,
  }
  const mutated = yield* backend.admission.mutate({ ...attributes, object: () => unfounded(own(prepared), named) })
  const whole = mutated === undefined ? prepared : refounded(decoded(kind, mutated).object, own(prepared), kind)
  validate(kind, whole, undefined, warnings)
  const owned = mutated === undefined ? own(whole) : whole
  behaviourOf(kind)?.admitted?.(owned, backend.options)
  yield* backend.admission.validate({ ...attributes, object: () => owned })
  checkNamespace(backend, kind, namespace, name) // it may have gone while webhooks were asked
  checkSize(owned)
  if (find(backend, kind, namespace, name) !== undefined) throw alreadyExists(kind, name)
  return { object: dryRun ? owned : store(backend, kind, 'ADDED', owned), warnings, created: true }
}

export function isNamespace(kind: Kind): boolean {
  return kind.group === '' && kind.plural === 'namespaces'
}

/** A new object as a webhook sees it: what the server gives it comes after. */
function unfounded(object: KubernetesObject, named: Named): KubernetesObject {
  const { uid: _uid, creationTimestamp: _created, generation: _generation, name, ...metadata } = object.metadata
  return { ...object, metadata: { ...(named === 'generated' || name === undefined ? {} : { name }), ...metadata } }
}

/** What a webhook left, with what is not its to change. */
function refounded(mutated: KubernetesObject, before: KubernetesObject, kind: Kind): KubernetesObject {
  const metadata = { ...mutated.metadata }
  for (const name of ['name', 'namespace', 'uid', 'creationTimestamp', 'generation', 'managedFields']) {
    const kept = before.metadata[name]
    if (kept === undefined) delete metadata[name]
    else metadata[name] = kept
  }
  const whole = { ...mutated, metadata } as KubernetesObject
  if (!kind.status) return whole
  if (before.status === undefined) delete whole.status
  else whole.status = before.status
  return whole
}

/** Gives an object what the server owns: name, uid, times, generation; and drops what a client cannot set. */
export function prepareNew(backend: Backend, kind: Kind, namespace: string, object: KubernetesObject): KubernetesObject {
  const {
    uid: _uid,
    creationTimestamp: _created,
    generation: _generation,
    selfLink: _link,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    resourceVersion: _version,
    namespace: _namespace,
    ...metadata
  } = object.metadata
  const next = {
    ...object,
    metadata: {
      ...metadata,
      ...(kind.namespaced ? { namespace } : {}),
      uid: backend.newUid(),
      creationTimestamp: timeNow(backend),
      ...(kind.generation === 'none' ? {} : { generation: 1 }),
    },
  } as KubernetesObject
  if ((next.metadata.name ?? '') === '' && typeof metadata.generateName === 'string' && metadata.generateName !== '') {
    next.metadata.name = freeName(backend, kind, namespace, metadata.generateName)
  }
  if (kind.status && kind.plural !== 'nodes') delete next.status
  behaviourOf(kind)?.create?.(next, backend.options, backend)
  return next
}

function freeName(backend: Backend, kind: Kind, namespace: string, prefix: string): string {
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const name = `${prefix.slice(0, 58)}${backend.newSuffix()}`
    if (find(backend, kind, namespace, name) === undefined) return name
  }
  throw alreadyExists(kind, prefix)
}

