import { keyOf, timestamp, type ControllerContext } from '#playground/controllers/controller.ts'
import { withCondition } from '#playground/controllers/conditions.ts'
import { claims, nodes, pods, type Condition, type Pod } from '#playground/controllers/kinds.ts'
import { whyNot } from '#playground/controllers/node-fit.ts'
import { recordEvent } from '#playground/controllers/record-event.ts'

const component = 'default-scheduler'

/** Gives a pod to a node that takes it, once its claims are bound; where there is none, the pod's status and an Event say why. */
export function schedule(context: ControllerContext, { metadata }: Pod): void {
  const { objects } = context
  const pod = objects.get(pods, metadata.namespace, metadata.name)
  if (pod === undefined || pod.metadata.uid !== metadata.uid || pod.spec.nodeName !== undefined) return
  if ((pod.spec.schedulerName ?? component) !== component || (pod.spec.schedulingGates ?? []).length > 0) return
  const placed = placeFor(context, pod)
  if ('message' in placed) return leave(context, pod, placed.message)
  objects.edit(pods, metadata, 'object', 'kube-scheduler', (object) => {
    object.spec.nodeName = placed.node
  })
  recordEvent(context, { about: pod, type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${keyOf(metadata)} to ${placed.node}`, component })
}

/** The words are a kube-scheduler's, 1.36.3. */
function placeFor({ objects }: ControllerContext, pod: Pod): { readonly node: string } | { readonly message: string } {
  const all = objects.list(nodes)
  if (all.length === 0) return { message: 'no nodes available to schedule pods' }
  const none = `0/${all.length} nodes are available:`
  const claim = whyNoClaim({ objects }, pod)
  if (claim !== undefined) return { message: `${none} ${claim}. not found` }
  const refusals: string[] = []
  for (const node of all) {
    const why = whyNot(pod.spec, node)
    if (why === undefined) return { node: node.metadata.name }
    refusals.push(why)
  }
  const counted = [...new Set(refusals)].map((why) => `${refusals.filter((each) => each === why).length} ${why}`).toSorted()
  return { message: `${none} ${counted.join(', ')}. no new claims to deallocate, preemption: ${none} ${all.length} Preemption is not helpful for scheduling.` }
}

function whyNoClaim({ objects }: Pick<ControllerContext, 'objects'>, { metadata, spec }: Pod): string | undefined {
  const names = (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => (persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName]))
  const wanted = names.map((name) => ({ name, claim: objects.get(claims, metadata.namespace, name) }))
  const absent = wanted.find(({ claim }) => claim === undefined)
  if (absent !== undefined) return `persistentvolumeclaim "${absent.name}" not found`
  return wanted.some(({ claim }) => claim?.status?.phase !== 'Bound') ? 'pod has unbound immediate PersistentVolumeClaims' : undefined
}

/** Told once, until there is another reason. */
function leave(context: ControllerContext, pod: Pod, message: string): void {
  const generation = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }
  const told = context.objects.edit(pods, pod.metadata, 'status', 'kube-scheduler', (object) => {
    const condition: Condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastProbeTime: null, ...generation }
    object.status = { ...object.status, phase: 'Pending', conditions: withCondition(object.status?.conditions, condition, timestamp(context.clock.now())) }
  })
  if (told?.metadata.resourceVersion !== pod.metadata.resourceVersion) recordEvent(context, { about: pod, type: 'Warning', reason: 'FailedScheduling', message, component })
}
