import { equalJson } from '#lib/json.ts'
import type { KubernetesObject, Objects, Resource } from '#playground/contract.ts'
import { auditedSteps } from '../audit/audited-steps.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { type Backend, find, inVersion } from '../backend.ts'
import { type Kind, resourceOf } from '../kinds.ts'
import { valueAt, setAt } from '../paths.ts'
import type { User } from '../request.ts'
import { labelSelector } from '../selectors.ts'
import { decode } from './admit.ts'
import { createSteps } from './create-object.ts'
import { deleteSteps } from './delete-object.ts'
import { atOnce, type Steps } from './steps.ts'
import { updateSteps } from './update-object.ts'

/** How work that may have to wait is done where nothing can: `key` says what is written. `begin` starts it, each time anew. */
export type Drive = <T>(key: string, begin: () => Steps<T>) => T

export type InProcess = {
  readonly backend: Backend
  readonly audit: AuditTrail
  /** Whose credentials a program has, by the field manager that it writes as: a user of its own for each write. */
  readonly writerOf: (manager: string) => User
  readonly drive: Drive
}

/** Webhooks are not asked. */
export const withoutWaiting: Drive = (_, begin) => atOnce(begin())

const deleter = 'kube-controller-manager'

/** The server for what runs in its own process. What it hands out is frozen: `structuredClone` before changing. */
export function inProcess({ backend, audit, writerOf, drive }: InProcess): Objects {
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
    create: (resource, object, manager) => {
      const kind = kindOf(resource)
      const { namespace = '', name = '', generateName } = object.metadata
      const doing = { verb: 'create', kind, namespace, name, subresource: '', manager } as const
      return drive(`create ${resourceOf(kind)} ${namespace}/${name || String(generateName)}`, () => {
        const user = writerOf(manager)
        const steps = createSteps(backend, kind, namespace, structuredClone(object), { dryRun: false, fieldValidation: 'Ignore', manager, user })
        return auditedSteps(backend, audit, user, doing, steps)
      }).object
    },
    edit: (resource, namespace, name, part, manager, edit) => {
      const kind = kindOf(resource)
      const subresource = part === 'object' ? '' : part
      return drive(`edit ${resourceOf(kind)} ${namespace}/${name} ${part}`, function* () {
        const live = find(backend, kind, namespace, name)
        if (live === undefined) return undefined
        const next = edited(kind, live, part, edit)
        if (equalJson(next, live)) return live
        const user = writerOf(manager)
        const steps = updateSteps(backend, kind, live, next, { subresource, manager, user, dryRun: false, warnings: [], how: 'updated' })
        const { object } = yield* auditedSteps(backend, audit, user, { verb: 'update', kind, namespace, name, subresource, manager }, steps, (written) => written.object !== live)
        return object
      })
    },
    delete: (resource, namespace, name, uid, propagation, graceSeconds) => {
      const kind = kindOf(resource)
      drive(`delete ${resourceOf(kind)} ${namespace}/${name}`, function* () {
        const live = find(backend, kind, namespace, name)
        if (live === undefined || (uid !== undefined && live.metadata.uid !== uid)) return
        const user = writerOf(deleter)
        const steps = deleteSteps(backend, kind, live, { propagation, graceSeconds, dryRun: false, user })
        yield* auditedSteps(backend, audit, user, { verb: 'delete', kind, namespace, name, subresource: '', manager: deleter }, steps)
      })
    },
  }
}

/** The object, decoded, as `edit` leaves the part of it. */
function edited(kind: Kind, live: KubernetesObject, part: 'object' | 'status' | 'scale', edit: (object: KubernetesObject) => void): KubernetesObject {
  let next = structuredClone(live)
  edit(next)
  if (part === 'scale') {
    const replicas = valueAt(next, kind.scale?.specReplicas ?? 'spec.replicas')
    next = structuredClone(live)
    if (replicas !== undefined) setAt(next, kind.scale?.specReplicas ?? 'spec.replicas', replicas)
  }
  next.metadata.resourceVersion = live.metadata.resourceVersion ?? ''
  return decode(kind, next).object
}
