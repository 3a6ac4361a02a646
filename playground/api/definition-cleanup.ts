import type { KubernetesObject } from '#playground/contract.ts'
import { isObject } from '#lib/json.ts'
import type { Backend } from './backend.ts'
import { cleanupFinalizer } from './behaviours/definition.ts'
import { resourceOf } from './kinds.ts'
import { deleteObject } from './objects/delete-object.ts'
import { apiServer } from './objects/own-users.ts'
import { updateObject } from './objects/update-object.ts'
import { definitions } from './registry.ts'

/** A definition that is deleted takes its objects with it, and goes when the last of them is gone: some may wait for their finalizers. */
export function cleanUpDefinitions(backend: Backend): () => void {
  const look = (): void => {
    for (const definition of backend.storage.list(resourceOf(definitions))) if (isEnding(definition)) cleanUp(backend, definition)
  }
  look()
  return backend.storage.subscribe((change) => {
    if (change.resource === resourceOf(definitions) ? isEnding(change.object) && change.type !== 'DELETED' : change.type === 'DELETED') look()
  })
}

function isEnding({ metadata }: KubernetesObject): boolean {
  return metadata.deletionTimestamp !== undefined && Array.isArray(metadata.finalizers) && metadata.finalizers.includes(cleanupFinalizer)
}

function cleanUp(backend: Backend, definition: KubernetesObject): void {
  const kind = backend.registry.find(definitions)
  const spec = isObject(definition.spec) ? definition.spec : {}
  const names = isObject(spec.names) ? spec.names : {}
  const resource = { group: String(spec.group), plural: String(names.plural) }
  const custom = backend.registry.all().find((served) => served.custom && served.group === resource.group && served.plural === resource.plural)
  for (const object of custom === undefined ? [] : backend.storage.list(resourceOf(resource))) {
    if (object.metadata.deletionTimestamp === undefined) deleteObject(backend, custom as NonNullable<typeof custom>, object, { propagation: undefined, graceSeconds: undefined, dryRun: false, user: apiServer })
  }
  // A change that this has caused may be told later: what counts is what is there now.
  const live = backend.storage.get(resourceOf(definitions), `/${definition.metadata.name ?? ''}`)
  if (kind === undefined || live === undefined || !isEnding(live) || backend.storage.list(resourceOf(resource)).length > 0) return
  const next = structuredClone(live)
  next.metadata.finalizers = (next.metadata.finalizers as string[]).filter((finalizer) => finalizer !== cleanupFinalizer)
  if (next.metadata.finalizers.length === 0) delete next.metadata.finalizers
  updateObject(backend, kind, live, next, { subresource: '', manager: 'kube-apiserver', user: apiServer, dryRun: false, warnings: [], how: 'updated' })
}
