import { Failure } from '#lib/failure.ts'
import type { KubernetesWatchEvent } from '#clients/kubernetes/client.ts'
import { isObject, type JsonObject } from '#lib/json.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Call } from './call.ts'
import { nameOf } from './observed.ts'
import { podTrouble } from './readiness.ts'

/** Kinds whose pods tell why they are not ready. */
export const workloads: ReadonlySet<string> = new Set(['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'apps/ReplicaSet', 'batch/Job'])

type Troubled = { readonly name: string; readonly owner: { readonly kind: string; readonly name: string; readonly uid: string }; readonly trouble: string }

/** The pods of a namespace that are in trouble, kept up to date by the events of a watch. */
export class Pods {
  readonly #call: Call
  readonly #namespace: string
  readonly #troubled = new Map<string, Troubled>()
  /** ReplicaSet uid -> what it is of. Asked once each, as it is met. */
  readonly #replicaSets = new Map<string, { readonly deployment: string; readonly revision: string } | undefined>()
  #isLoaded = false

  constructor(call: Call, namespace: string) {
    this.#call = call
    this.#namespace = namespace
  }

  see(event: KubernetesWatchEvent): void {
    if (event.type === 'RELIST') this.#troubled.clear()
    if (event.type === 'BOOKMARK') this.#isLoaded = true
    if (!('object' in event)) return
    const pod = event.object
    const metadata = isObject(pod['metadata']) ? pod['metadata'] : {}
    const owner = (Array.isArray(metadata['ownerReferences']) ? metadata['ownerReferences'] : []).find((one) => isObject(one) && one['controller'] === true)
    const trouble = event.type === 'DELETED' || metadata['deletionTimestamp'] !== undefined ? undefined : podTrouble(pod)
    const uid = String(metadata['uid'])
    if (trouble === undefined || !isObject(owner)) this.#troubled.delete(uid)
    else this.#troubled.set(uid, { name: nameOf(pod), trouble, owner: { kind: String(owner['kind']), name: String(owner['name']), uid: String(owner['uid']) } })
  }

  /** What is wrong with a pod of this workload (of a Deployment: of its newest ReplicaSet), the first by name. */
  async troubleOf(key: ObjectKey, workload: JsonObject): Promise<string | undefined> {
    const metadata = isObject(workload['metadata']) ? workload['metadata'] : {}
    const candidates = [...this.#troubled.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const pod of candidates) {
      const isOwn = parseKey(key).kind === 'Deployment' ? await this.#isOfNewest(pod, metadata) : pod.owner.uid === metadata['uid']
      if (isOwn) return `pod ${pod.name}: ${pod.trouble}`
    }
    return undefined
  }

  /** Reads them once, for an object whose fate is settled before the watch told anything. */
  async load(): Promise<void> {
    if (this.#isLoaded) return
    const client = this.#call.clients.kubernetes
    try {
      const kind = await client.kind('v1', 'Pod', this.#call.signal)
      if (kind === undefined) return
      for (const object of (await client.list(kind, this.#namespace, {}, this.#call.signal)).items) this.see({ type: 'ADDED', object })
      this.#isLoaded = true
    } catch (error) {
      // The pods only explain: what is not known of them leaves the readiness as it is.
      if (!(error instanceof Failure)) throw error
    }
  }

  async #isOfNewest(pod: Troubled, deployment: JsonObject): Promise<boolean> {
    if (pod.owner.kind !== 'ReplicaSet') return false
    const revision = revisionOf(deployment)
    let set = this.#replicaSets.get(pod.owner.uid)
    // A rollback gives an old ReplicaSet a new revision: what does not fit is asked again.
    if (set === undefined || (set.deployment === deployment['uid'] && set.revision !== revision)) {
      set = await this.#replicaSet(pod.owner.name)
      this.#replicaSets.set(pod.owner.uid, set)
    }
    return set !== undefined && set.deployment === deployment['uid'] && (revision === '' || set.revision === revision)
  }

  async #replicaSet(name: string): Promise<{ deployment: string; revision: string } | undefined> {
    const client = this.#call.clients.kubernetes
    try {
      const kind = await client.kind('apps/v1', 'ReplicaSet', this.#call.signal)
      const found = kind === undefined ? undefined : await client.get(kind, this.#namespace, name, this.#call.signal)
      const metadata = isObject(found?.['metadata']) ? found['metadata'] : {}
      const owner = (Array.isArray(metadata['ownerReferences']) ? metadata['ownerReferences'] : []).find((one) => isObject(one) && one['kind'] === 'Deployment')
      return isObject(owner) ? { deployment: String(owner['uid']), revision: revisionOf(metadata) } : undefined
    } catch (error) {
      if (error instanceof Failure) return undefined
      throw error
    }
  }
}

function revisionOf(metadata: JsonObject): string {
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {}
  return String(annotations['deployment.kubernetes.io/revision'] ?? '')
}
