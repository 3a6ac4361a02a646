import { manager, type ControllerContext } from './controller.ts'
import { replicasOf } from './deployment-rollout.ts'
import { deployments, replicaSets, type Deployment, type PodTemplate, type ReplicaSet } from './kinds.ts'
import { equalTemplates, templateHash } from './pod-template.ts'
import { ownerReference } from './pods-of.ts'

const revision = 'deployment.kubernetes.io/revision'
const history = 'deployment.kubernetes.io/revision-history'
const hash = 'pod-template-hash'
const notCopied = new Set([revision, history, 'kubectl.kubernetes.io/last-applied-configuration'])

export const revisionOf = (set: ReplicaSet): number => Number(set.metadata.annotations?.[revision] ?? 0)

/** What makes a rollback find the ReplicaSet that it had: the label apart that its template bears besides. */
export function sameTemplate(set: ReplicaSet, deployment: Deployment): boolean {
  return equalTemplates(withoutHash(set.spec.template), withoutHash(deployment.spec.template))
}

function withoutHash({ metadata, spec }: PodTemplate): PodTemplate {
  const { [hash]: _, ...labels } = metadata?.labels ?? {}
  return { metadata: { ...metadata, labels }, spec }
}

/** The ReplicaSet of the present template, as the newest revision; the Deployment's own annotation follows. */
export function findOrCreateNewSet(context: ControllerContext, deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet {
  const known = sets.find((set) => sameTemplate(set, deployment))
  const newest = Math.max(0, ...sets.filter((set) => set !== known).map(revisionOf)) + 1
  const set = known === undefined ? create(context, deployment, newest) : promote(context, deployment, known, newest)
  const number = String(revisionOf(set))
  context.objects.edit(deployments, deployment.metadata, 'object', manager, (object) => {
    object.metadata.annotations = { ...object.metadata.annotations, [revision]: number }
  })
  return set
}

function promote({ objects }: ControllerContext, deployment: Deployment, known: ReplicaSet, newest: number): ReplicaSet {
  if (revisionOf(known) >= newest && known.spec.minReadySeconds === deployment.spec.minReadySeconds) return known
  const edited = objects.edit(replicaSets, known.metadata, 'object', manager, (set) => {
    const earlier = [set.metadata.annotations?.[history], set.metadata.annotations?.[revision]].filter((text) => text !== undefined)
    if (revisionOf(set) < newest) {
      set.metadata.annotations = { ...set.metadata.annotations, [history]: earlier.join(','), [revision]: String(newest) }
    }
    if (deployment.spec.minReadySeconds !== undefined) set.spec.minReadySeconds = deployment.spec.minReadySeconds
  })
  return edited ?? known
}

function create({ objects }: ControllerContext, deployment: Deployment, number: number): ReplicaSet {
  const { metadata, spec } = deployment
  const value = templateHash(withoutHash(spec.template))
  const labels = { ...spec.template.metadata?.labels, [hash]: value }
  const copied = Object.entries(metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key))
  const annotations = { ...Object.fromEntries(copied), [revision]: String(number), 'deployment.kubernetes.io/desired-replicas': String(replicasOf(deployment)) }
  const set = {
    metadata: { name: `${metadata.name}-${value}`, namespace: metadata.namespace, labels, annotations, ownerReferences: [ownerReference(deployment)] },
    spec: {
      replicas: 0,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [hash]: value } },
      template: { ...structuredClone(spec.template), metadata: { ...structuredClone(spec.template.metadata), labels } },
    },
  }
  return objects.create(replicaSets, set, manager)
}

/** Old, empty ReplicaSets beyond `revisionHistoryLimit` go, the oldest first. */
export function trimHistory({ objects }: ControllerContext, deployment: Deployment, sets: readonly ReplicaSet[]): void {
  const empty = sets.filter((set) => set.spec.replicas === 0 && (set.status?.replicas ?? 0) === 0 && !sameTemplate(set, deployment))
  const surplus = empty.length - (deployment.spec.revisionHistoryLimit ?? 10)
  for (const set of empty.slice(0, Math.max(0, surplus))) objects.delete(replicaSets, set.metadata)
}
