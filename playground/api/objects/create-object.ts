import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { checkEscalation } from '../authorization/escalation.ts'
import { type Backend, find, store, timeNow } from '../backend.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { WriteParameters } from '../body.ts'
import type { Kind } from '../kinds.ts'
import { alreadyExists, internal } from '../status.ts'
import { asStored, decoded } from '../schemas.ts'
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
  // Whose its fields are is settled before the server completes it and before webhooks are asked: what they put in is nobody's, as on a real server.
  const owned = backend.fields.update({
    live: undefined,
    next: wiped(object),
    manager: parameters.manager,
    time: timeNow(backend),
    schema: kind.schema,
    subresource: '',
    reset: resetOf(kind, ''),
    versions: kind.versions,
  })
  return yield* storeNew(backend, kind, prepareNew(backend, kind, namespace, owned), parameters, [...warnings], (sent.metadata.name ?? '') === '' ? 'generated' : 'stated')
}

/** Stores a new object that is prepared, and says whose its fields are, if nothing speaks against it. */
export function* storeNew(
  backend: Backend,
  kind: Kind,
  prepared: KubernetesObject,
  { user, dryRun, manager }: Pick<WriteParameters, 'user' | 'dryRun' | 'manager'>,
  warnings: string[],
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
  const mutated = yield* backend.admission.mutate({ ...attributes, object: () => unfounded(prepared, named) })
  const whole = mutated === undefined ? prepared : refounded(decoded(kind, mutated).object, prepared, kind)
  validate(kind, whole, undefined, warnings)
  behaviourOf(kind)?.admitted?.(whole, backend.options, backend)
  yield* backend.admission.validate({ ...attributes, object: () => whole })
  checkNamespace(backend, kind, namespace, name) // it may have gone while webhooks were asked
  checkSize(whole)
  if (find(backend, kind, namespace, name) !== undefined) throw alreadyExists(kind, name)
  return { object: dryRun ? whole : store(backend, kind, 'ADDED', asStored(kind, whole)), warnings, created: true }
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

/** Without what a client cannot say of a new object. */
function wiped(object: KubernetesObject): KubernetesObject {
  const { uid: _uid, creationTimestamp: _created, deletionTimestamp: _deleted, deletionGracePeriodSeconds: _grace, selfLink: _link, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Gives an object what the server owns: name, uid, times, generation; and drops what a client cannot set. */
export function prepareNew(backend: Backend, kind: Kind, namespace: string, object: KubernetesObject): KubernetesObject {
  const { generation: _generation, resourceVersion: _version, namespace: _namespace, ...metadata } = wiped(object).metadata
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
  if (kind.status && kind.plural !== 'nodes') resetStatus(next, kind)
  behaviourOf(kind)?.create?.(next, backend.options, backend)
  return next
}

/** A new object has the status of one of which nothing is known: what Go cannot leave out of a built-in kind's, and else none. */
function resetStatus(object: KubernetesObject, kind: Kind): void {
  const empty = isObject(kind.schema.default) && !kind.custom ? kind.schema.default.status : undefined
  if (empty === undefined) delete object.status
  else object.status = structuredClone(empty)
}

function freeName(backend: Backend, kind: Kind, namespace: string, prefix: string): string {
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const name = `${prefix.slice(0, 58)}${backend.newSuffix()}`
    if (find(backend, kind, namespace, name) === undefined) return name
  }
  throw alreadyExists(kind, prefix)
}

