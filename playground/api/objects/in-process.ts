import type { KubernetesObject, Objects, Resource } from '#playground/contract.ts'
import { type Backend, find, inVersion } from '../backend.ts'
import { type Kind, resourceOf } from '../kinds.ts'
import { valueAt, setAt } from '../paths.ts'
import { labelSelector } from '../selectors.ts'
import { decode } from './admit.ts'
import { createObject } from './create-object.ts'
import { deleteObject } from './delete-object.ts'
import { updateObject } from './update-object.ts'
import type { User } from '../request.ts'

/** The server for what runs in its own process. What it hands out is frozen: `structuredClone` before changing. */
export function inProcess(backend: Backend, user: User): Objects {
  const kindOf = (resource: Resource): Kind => {
    const kind = backend.registry.find(resource)
    if (kind === undefined) throw new Error(`${resource.group}/${resource.version}/${resource.plural} is not served`)
    return kind
  }
  return {
    get: (resource, namespace, name) => find(backend, kindOf(resource), namespace, name),
    list: (resource, namespace, selector) => {
      const kind = backend.registry.find(resource)
      if (kind === undefined) return []
      const matches = labelSelector(selector)
      return backend.storage
        .list(resourceOf(kind), namespace === '' ? undefined : namespace)
        .filter(matches)
        .map((object) => inVersion(object, kind))
    },
    watch: (resource, listener) => {
      const name = resourceOf(resource)
      const shown = (object: KubernetesObject): KubernetesObject => {
        const kind = backend.registry.find(resource)
        return kind === undefined ? object : inVersion(object, kind)
      }
      for (const object of backend.storage.list(name)) listener({ type: 'ADDED', object: shown(object) })
      return backend.storage.subscribe((change) => {
        if (change.resource === name) listener({ type: change.type, object: shown(change.object) })
      })
    },
    create: (resource, object, manager) =>
      createObject(backend, kindOf(resource), object.metadata.namespace ?? '', structuredClone(object), { dryRun: false, fieldValidation: 'Ignore', manager, user }).object,
    edit: (resource, namespace, name, part, manager, edit) => {
      const kind = kindOf(resource)
      const live = find(backend, kind, namespace, name)
      if (live === undefined) return undefined
      let next = structuredClone(live)
      edit(next)
      if (part === 'scale') {
        const replicas = valueAt(next, kind.scale?.specReplicas ?? 'spec.replicas')
        next = structuredClone(live)
        if (replicas !== undefined) setAt(next, kind.scale?.specReplicas ?? 'spec.replicas', replicas)
      }
      next.metadata.resourceVersion = live.metadata.resourceVersion ?? ''
      return updateObject(backend, kind, live, decode(kind, next).object, { subresource: part === 'object' ? '' : part, manager, user, dryRun: false, warnings: [], how: 'updated' }).object
    },
    delete: (resource, namespace, name, uid, propagation, graceSeconds) => {
      const kind = kindOf(resource)
      const live = find(backend, kind, namespace, name)
      if (live === undefined || (uid !== undefined && live.metadata.uid !== uid)) return
      deleteObject(backend, kind, live, { propagation, graceSeconds, dryRun: false, user })
    },
  }
}

