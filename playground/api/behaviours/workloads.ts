import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import type { Behaviour } from './behaviours.ts'
import { forbiddenChange, unchangeable } from './immutable.ts'

/** Deployments, ReplicaSets, DaemonSets: another selector would orphan their pods. */
export const fixedSelector: Behaviour = { check: (object, live) => unchangeable(object, live, ['spec.selector']) }

const statefulSetChangeable = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds']

export const statefulSet: Behaviour = {
  check: (object, live) => {
    if (live === undefined) return []
    const fixed = (set: KubernetesObject): JsonObject => {
      const spec = isObject(set.spec) ? { ...set.spec } : {}
      for (const name of statefulSetChangeable) delete spec[name]
      return spec
    }
    if (equalJson(fixed(object), fixed(live))) return []
    return [
      forbiddenChange(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    ]
  },
}

const jobLabel = /(?:^|\/)(?:controller-uid|job-name)$/

export const job: Behaviour = {
  create: (object) => {
    const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
    if (spec.manualSelector === true || spec.selector !== undefined) return
    const uid = object.metadata.uid ?? ''
    const name = object.metadata.name ?? ''
    spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
    spec.template = labelled(spec.template, { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name })
    object.spec = spec
  },
  update: (object, live) => {
    const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
    spec.selector ??= valueAt(live, 'spec.selector') as Json
    // What the server put into the template at first is not the client's to leave out.
    const ours = valueAt(live, 'spec.template.metadata.labels')
    spec.template = labelled(spec.template, isObject(ours) ? Object.fromEntries(Object.entries(ours).filter(([key]) => jobLabel.test(key))) : {})
    object.spec = spec
  },
  check: (object, live) =>
    unchangeable(object, live, ['spec.selector', 'spec.template', 'spec.completionMode', 'spec.podFailurePolicy', 'spec.backoffLimitPerIndex']),
}

function labelled(template: Json | undefined, labels: JsonObject): JsonObject {
  const whole: JsonObject = isObject(template) ? template : {}
  const metadata: JsonObject = isObject(whole.metadata) ? whole.metadata : {}
  return { ...whole, metadata: { ...metadata, labels: { ...(isObject(metadata.labels) ? metadata.labels : {}), ...labels } } }
}
