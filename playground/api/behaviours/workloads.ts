import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { templateGeneration } from '#playground/schema/defaults/workloads.ts'
import { valueAt } from '../paths.ts'
import type { Behaviour } from './behaviours.ts'
import { forbiddenChange, unchangeable } from './immutable.ts'

/** Deployments, ReplicaSets, DaemonSets: another selector would orphan their pods. */
export const fixedSelector: Behaviour = { check: (object, live) => unchangeable(object, live, ['spec.selector']) }

/** Its annotation counts the templates that it has had. */
export const daemonSet: Behaviour = {
  ...fixedSelector,
  create: (object) => setAnnotation(object, templateGeneration, '1'),
  update: (object, live) => setAnnotation(object, templateGeneration, annotationOf(live, templateGeneration)),
  changed: (object, live) => {
    if (equalJson(valueAt(object, 'spec.template'), valueAt(live, 'spec.template'))) return
    setAnnotation(object, templateGeneration, String(Number(annotationOf(live, templateGeneration)) + 1))
  },
}

function annotationOf({ metadata }: KubernetesObject, name: string): string {
  return isObject(metadata.annotations) && typeof metadata.annotations[name] === 'string' ? metadata.annotations[name] : '1'
}

function setAnnotation(object: KubernetesObject, name: string, value: string): void {
  object.metadata = { ...object.metadata, annotations: { ...(isObject(object.metadata.annotations) ? object.metadata.annotations : {}), [name]: value } }
}

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

/** What is fixed of every Job; an Indexed one may have another number of completions. */
const jobFixed = ['selector', 'template', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'].map((name) => `spec.${name}`)

export const job: Behaviour = {
  admitted: (object) => {
    const spec: JsonObject = isObject(object.spec) ? { ...object.spec } : {}
    if (spec.manualSelector === true || spec.selector !== undefined) return
    const uid = object.metadata.uid ?? ''
    const name = object.metadata.name ?? ''
    spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
    spec.template = labelled(spec.template, { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name })
    object.spec = spec
    labelLikeTemplate(object)
  },
  check: (object, live) =>
    unchangeable(object, live, [...(valueAt(object, 'spec.completionMode') === 'Indexed' ? [] : ['spec.completions']), ...jobFixed]),
}

/** A Job that says nothing of labels has its template's. */
function labelLikeTemplate(object: KubernetesObject): void {
  const labels = valueAt(object, 'spec.template.metadata.labels')
  if (isObject(object.metadata.labels) || !isObject(labels)) return
  object.metadata = { ...object.metadata, labels }
}

function labelled(template: Json | undefined, labels: JsonObject): JsonObject {
  const whole: JsonObject = isObject(template) ? template : {}
  const metadata: JsonObject = isObject(whole.metadata) ? whole.metadata : {}
  return { ...whole, metadata: { ...metadata, labels: { ...(isObject(metadata.labels) ? metadata.labels : {}), ...labels } } }
}
