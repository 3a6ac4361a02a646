import type { Json, JsonObject } from '#lib/json.ts'
import { selectorMatches } from '#playground/api/admission/label-selector.ts'
import type { NodeObject, NodeTerm, Pod, PodSpec, Taint, Toleration } from './kinds.ts'

export const cordonTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

export const tolerates = ({ key = '', operator = 'Equal', value = '', effect = '' }: Toleration, taint: Taint): boolean =>
  (effect === '' || effect === taint.effect) && (key === '' || key === taint.key) && (operator === 'Exists' || value === (taint.value ?? ''))

const bears = ({ tolerations = [] }: PodSpec, taint: Taint): boolean => tolerations.some((toleration) => tolerates(toleration, taint))

/** Whether a node has taints of these effects that a pod does not bear. */
export const repels = ({ spec: { taints = [] } }: NodeObject, pod: PodSpec, effects: readonly Taint['effect'][]): boolean =>
  taints.some((taint) => effects.includes(taint.effect) && !bears(pod, taint))

/** Whether a pod's `nodeSelector` and required node affinity let it onto a node. */
export function isAskedFor({ nodeSelector = {}, affinity }: PodSpec, { metadata }: NodeObject): boolean {
  const labels = metadata.labels ?? {}
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) && (terms === undefined || terms.some((term) => termMatches(term, labels, metadata.name)))
}

type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>

/** For the one node of this name, as a DaemonSet asks. */
export const pinnedTo = (name: string): NodeAffinity => ({
  requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] },
})

/** The node that a pod has, or is pinned to. */
export function nodeOf({ spec }: Pod): string | undefined {
  return spec.nodeName ?? spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0]
}

/** Why a scheduler does not give a pod to a node, in its own words; `undefined` where it may. Source: a kube-scheduler 1.36.3. */
export function whyNot(pod: PodSpec, node: NodeObject): string | undefined {
  if (node.spec.unschedulable === true && !bears(pod, cordonTaint)) return 'node(s) were unschedulable'
  if (repels(node, pod, ['NoSchedule', 'NoExecute'])) return 'node(s) had untolerated taint(s)'
  return isAskedFor(pod, node) ? undefined : 'node(s) didn\'t match Pod\'s node affinity/selector'
}

/** An empty term selects nothing. */
function termMatches({ matchExpressions = [], matchFields = [] }: NodeTerm, labels: Record<string, string>, name: string): boolean {
  return matchExpressions.length + matchFields.length > 0 && matchExpressions.every((each) => holds(each, labels)) && matchFields.every((each) => holds(each, { 'metadata.name': name }))
}

function holds(expression: NonNullable<NodeTerm['matchExpressions']>[number], labels: Record<string, string>): boolean {
  const { key, operator, values = [] } = expression
  if (operator !== 'Gt' && operator !== 'Lt') return selectorMatches({ matchExpressions: [expression as JsonObject] }, labels as Json)
  const [has, bound] = [Number(labels[key] ?? Number.NaN), Number(values[0])]
  return operator === 'Gt' ? has > bound : has < bound
}
