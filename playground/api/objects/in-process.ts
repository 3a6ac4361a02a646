import { equalJson, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Objects, Resource } from '#playground/contract.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { type Backend, find, inVersion } from '../backend.ts'
import { type Kind, resourceOf } from '../kinds.ts'
import { valueAt, setAt } from '../paths.ts'
import { labelSelector } from '../selectors.ts'
import { decode } from './admit.ts'
import { createObject } from './create-object.ts'
import { deleteObject } from './delete-object.ts'
import { updateObject } from './update-object.ts'
import type { User } from '../request.ts'
import { ApiError } from '../status.ts'
import { versionInfo } from '../version.ts'

/** What writes in process, by the field manager that it writes as: a user of its own for each write. */
type WriterOf = (manager: string) => User
type Doing = { readonly verb: 'create' | 'update' | 'delete'; readonly kind: Kind; readonly namespace: string; readonly name: string; readonly subresource: string; readonly manager: string }

/** Tells of a write as of a request: what runs in process here has a connection in a real cluster. What changed nothing was none. */
function audited<T>(backend: Backend, audit: AuditTrail, writerOf: WriterOf, doing: Doing, write: (user: User) => T, isWrite: (result: T) => boolean = () => true): T {
  const { verb, kind, namespace, name, subresource, manager } = doing
  const user = writerOf(manager)
  const { group, version, plural } = kind
  const parts = [group === '' ? 'api' : `apis/${group}`, version, ...(namespace === '' ? [] : ['namespaces', namespace]), plural, ...(verb === 'create' ? [] : [name]), ...(subresource === '' ? [] : [subresource])]
  const path = `/${parts.join('/')}`
  const attributes = { resourceRequest: true, verb, path, group, version, resource: plural, subresource, namespace, name }
  if (!audit.wants(attributes)) return write(user)
  const receivedAt = backend.clock.now()
  const userAgent = `${manager}/${versionInfo.gitVersion} (${versionInfo.platform})`
  const tell = (code: number, status?: JsonObject): void =>
    audit.tell({ attributes, uri: path, by: user, as: user, userAgent, address: '127.0.0.1', sent: {}, code, status, receivedAt, answeredAt: backend.clock.now() })
  try {
    const result = write(user)
    if (isWrite(result)) tell(verb === 'create' ? 201 : 200)
    return result
  } catch (error) {
    if (error instanceof ApiError) tell(error.code, error.status)
    throw error
  }
}

/** The server for what runs in its own process. What it hands out is frozen: `structuredClone` before changing. */
export function inProcess(backend: Backend, audit: AuditTrail, writerOf: WriterOf): Objects {
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
      const { namespace = '', name = '' } = object.metadata
      return audited(backend, audit, writerOf, { verb: 'create', kind, namespace, name, subresource: '', manager }, (user) =>
        createObject(backend, kind, namespace, structuredClone(object), { dryRun: false, fieldValidation: 'Ignore', manager, user }).object,
      )
    },
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
      const whole = decode(kind, next).object
      if (equalJson(whole, live)) return live
      const subresource = part === 'object' ? '' : part
      return audited(
        backend,
        audit,
        writerOf,
        { verb: 'update', kind, namespace, name, subresource, manager },
        (user) => updateObject(backend, kind, live, whole, { subresource, manager, user, dryRun: false, warnings: [], how: 'updated' }).object,
        (result) => result !== live,
      )
    },
    delete: (resource, namespace, name, uid, propagation, graceSeconds) => {
      const kind = kindOf(resource)
      const live = find(backend, kind, namespace, name)
      if (live === undefined || (uid !== undefined && live.metadata.uid !== uid)) return
      audited(backend, audit, writerOf, { verb: 'delete', kind, namespace, name, subresource: '', manager: 'kube-controller-manager' }, (user) =>
        deleteObject(backend, kind, live, { propagation, graceSeconds, dryRun: false, user }),
      )
    },
  }
}

