import type { ControllerContext } from './controller.ts'
import { customResourceDefinitions, namespacedKinds, namespaces, type CustomResourceDefinition, type Metadata } from './kinds.ts'
import type { Kind, TypedEvent } from './typed-objects.ts'

export type AnyObject = { readonly apiVersion: string; readonly kind: string; readonly metadata: Metadata }

const clusterKind = (apiVersion: string, kind: string, plural: string): Kind<unknown> => {
  const [group = '', version = ''] = apiVersion.split('/')
  return { apiVersion, group, version, kind, plural, namespaced: false }
}

const clusterKinds: readonly Kind<unknown>[] = [
  namespaces,
  customResourceDefinitions,
  clusterKind('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles'),
  clusterKind('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings'),
]

/** Watches all objects of all kinds, those of custom resource definitions from the moment that they are served. Returns what ends it. */
export function watchEveryResource(
  context: ControllerContext,
  see: (kind: Kind<unknown>, event: TypedEvent<AnyObject>) => void,
): { stop: () => void; kinds: () => Kind<unknown>[] } {
  const watched = new Map<string, { readonly kind: Kind<unknown>; readonly end: () => void }>()
  const watch = (kind: Kind<unknown>): void => {
    const path = `${kind.group}/${kind.plural}`
    if (watched.has(path)) return
    try {
      watched.set(path, { kind, end: context.objects.watch<AnyObject>(kind as Kind<AnyObject>, (event) => see(kind, event)) })
    } catch {
      // not served: a server may have fewer kinds than we know, and a definition is not established yet at its first event
    }
  }
  for (const kind of [...clusterKinds, ...namespacedKinds]) watch(kind)
  const pending = new Set<NodeJS.Immediate>()
  // Those that are there at the start are served already, and are watched before anything is done about what is seen: an owner whose kind is not
  // watched yet would be taken for gone, and what it owns for garbage.
  let atStart = true
  const definitions = context.objects.watch(customResourceDefinitions, ({ type, object }) => {
    const kind = kindOf(object)
    if (type === 'DELETED') {
      watched.get(`${kind.group}/${kind.plural}`)?.end()
      watched.delete(`${kind.group}/${kind.plural}`)
      return
    }
    if (atStart) return watch(kind)
    const turn = setImmediate(() => {
      pending.delete(turn)
      watch(kind)
    })
    pending.add(turn)
  })
  atStart = false
  return {
    kinds: () => [...watched.values()].map(({ kind }) => kind),
    stop: () => {
      definitions()
      for (const turn of pending) clearImmediate(turn)
      for (const { end } of watched.values()) end()
    },
  }
}

function kindOf({ spec }: CustomResourceDefinition): Kind<unknown> {
  const version = (spec.versions.find(({ storage }) => storage) ?? spec.versions[0])?.name ?? 'v1'
  return { apiVersion: `${spec.group}/${version}`, group: spec.group, version, kind: spec.names.kind, plural: spec.names.plural, namespaced: spec.scope === 'Namespaced' }
}
