import type { KubernetesObject } from '#playground/contract.ts'
import { type Backend, find, store, timeNow } from '../backend.ts'
import { behaviourOf } from '../behaviours/behaviours.ts'
import type { WriteParameters } from '../body.ts'
import type { Kind } from '../kinds.ts'
import { alreadyExists, internal } from '../status.ts'
import { checkNamespace, decode, judge, validate } from './admit.ts'
import { resetOf } from './reset.ts'
import { checkSize } from './size.ts'

export type Written = { readonly object: KubernetesObject; readonly warnings: readonly string[]; readonly created: boolean }

/** Stores a new object. `sent` is the caller's to give away. */
export function createObject(
  backend: Backend,
  kind: Kind,
  namespace: string,
  sent: KubernetesObject,
  parameters: WriteParameters,
  duplicates: readonly string[] = [],
): Written {
  if (sent.metadata.resourceVersion !== undefined && sent.metadata.resourceVersion !== '') {
    throw internal('resourceVersion should not be set on objects to be created')
  }
  const { object, problems } = decode(kind, sent, duplicates)
  const warnings = judge(problems, parameters.fieldValidation, kind)
  const prepared = prepareNew(backend, kind, namespace, object)
  checkNamespace(backend, kind, namespace, prepared.metadata.name ?? '')
  validate(kind, prepared, undefined, warnings)
  const { managedFields, ...metadata } = prepared.metadata
  const managed = backend.fields.update({
    live: undefined,
    next: { ...prepared, metadata: managedFields === undefined ? metadata : prepared.metadata },
    manager: parameters.manager,
    time: timeNow(backend),
    schema: kind.schema,
    subresource: '',
    reset: resetOf(kind, ''),
    versions: kind.versions,
  })
  return { object: insert(backend, kind, managed, parameters.dryRun), warnings, created: true }
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

/** Stores a prepared object, or shows what would be stored. `object` is the caller's to give away. */
export function insert(backend: Backend, kind: Kind, object: KubernetesObject, dryRun: boolean): KubernetesObject {
  const name = object.metadata.name ?? ''
  behaviourOf(kind)?.admitted?.(object)
  checkSize(object)
  if (find(backend, kind, object.metadata.namespace ?? '', name) !== undefined) throw alreadyExists(kind, name)
  return dryRun ? object : store(backend, kind, 'ADDED', object)
}

function freeName(backend: Backend, kind: Kind, namespace: string, prefix: string): string {
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const name = `${prefix.slice(0, 58)}${backend.newSuffix()}`
    if (find(backend, kind, namespace, name) === undefined) return name
  }
  throw alreadyExists(kind, prefix)
}

