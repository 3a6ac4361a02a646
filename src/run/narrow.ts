import type { KubernetesClient, ServedKind } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import type { Limits } from '#model/config/workspace.ts'
import { matchesGlob } from '#model/glob.ts'

/**
 * A cluster as a repository's probes may see it: only the namespaces and kinds that the repository may deliver to, and nothing to be written. Without
 * limits it is the whole cluster, still only to read. Failure `probe-out-of-reach`.
 */
export function narrowed(client: KubernetesClient, repository: string, limits: Limits): KubernetesClient {
  const check = (kind: ServedKind, namespace: string | undefined): void => {
    if (limits === 'everything') return
    const named = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
    const ofKind = limits.kinds === 'namespaced' ? kind.namespaced : limits.kinds.includes(named)
    const within = !kind.namespaced || (namespace !== undefined && namespace !== '' && limits.namespaces.some((glob) => matchesGlob(glob, namespace)))
    if (ofKind && within) return
    throw new Failure({
      code: 'probe-out-of-reach',
      subject: `${named}${namespace === undefined || namespace === '' ? '' : ` in ${namespace}`}`,
      message: `probes of repository ${repository} may not read ${namespace === undefined ? `${named} of all namespaces` : `${named} there`}`,
      hint: `They see what the repository may deliver to: \`spec.repositories.${repository}.allow\` of the workspace.`,
    })
  }
  const readOnly = (): never => {
    throw new Failure({ code: 'probe-out-of-reach', subject: 'probe', message: 'a probe changes nothing, and reads no logs', hint: 'Deliver a change through a module.' })
  }
  return {
    ...client,
    get: async (kind, namespace, name, signal) => {
      check(kind, namespace)
      return client.get(kind, namespace, name, signal)
    },
    list: async (kind, namespace, selector, signal) => {
      check(kind, namespace)
      return client.list(kind, namespace, selector, signal)
    },
    watch: (kind, namespace, selector, from, signal) => {
      check(kind, namespace)
      return client.watch(kind, namespace, selector, from, signal)
    },
    // Logs hold what no kind of object shows.
    logs: readOnly,
    apply: readOnly,
    delete: readOnly,
  }
}
