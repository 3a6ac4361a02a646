import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'
import type { Readiness } from '../driver.ts'

/** What one look at an object tells. `terminating` and `gone` are told by others. */
export type Look = { readonly state: 'ready' | 'progressing' | 'failed' | 'untold'; readonly message: string }

type Rule = (object: JsonObject, status: JsonObject, spec: JsonObject) => Look

/** Groups that Kubernetes itself serves: a kind of theirs that has no rule is ready when it exists. */
const builtIn = new Set([
  '', 'apps', 'batch', 'autoscaling', 'policy', 'extensions', 'admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io',
  'authentication.k8s.io', 'authorization.k8s.io', 'certificates.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io', 'events.k8s.io',
  'flowcontrol.apiserver.k8s.io', 'networking.k8s.io', 'node.k8s.io', 'rbac.authorization.k8s.io', 'resource.k8s.io', 'scheduling.k8s.io', 'storage.k8s.io',
])

const ready = (message: string): Look => ({ state: 'ready', message })
const progressing = (message: string): Look => ({ state: 'progressing', message })
const failed = (message: string): Look => ({ state: 'failed', message })
const untold = (message: string): Look => ({ state: 'untold', message })

/**
 * Readiness by kind, after kstatus (sigs.k8s.io/cli-utils, `pkg/kstatus/status/core.go`), with two differences: a Job is ready when it is complete, and a
 * custom resource without conditions that tell is `untold`.
 */
const rules: Readonly<Record<string, Rule>> = {
  'apps/Deployment': (_, status, spec) => {
    const wanted = number(spec['replicas'], 1)
    const late = condition(status, 'Progressing')
    if (late?.['reason'] === 'ProgressDeadlineExceeded') return failed(`no progress within its deadline: ${replicas(status, wanted)}`)
    const [all, updated, available, readyNow] = [number(status['replicas']), number(status['updatedReplicas']), number(status['availableReplicas']), number(status['readyReplicas'])]
    if (updated < wanted) return progressing(`${updated} of ${wanted} replicas updated`)
    if (all > updated) return progressing(`${all - updated} old replicas still there`)
    if (available < wanted || readyNow < wanted) return progressing(replicas(status, wanted))
    const fit = condition(status, 'Available')
    if (fit !== undefined && fit['status'] !== 'True') return progressing(text(fit['message']) || 'not available yet')
    return ready(replicas(status, wanted))
  },
  'apps/StatefulSet': (_, status, spec) => {
    const wanted = number(spec['replicas'], 1)
    const strategy = isObject(spec['updateStrategy']) ? spec['updateStrategy'] : {}
    const [all, updated, readyNow] = [number(status['replicas']), number(status['updatedReplicas']), number(status['readyReplicas'])]
    if (all < wanted) return progressing(`${all} of ${wanted} replicas made`)
    if (readyNow < wanted) return progressing(`${readyNow} of ${wanted} replicas ready`)
    if (all > wanted) return progressing(`${all - wanted} replicas too many still there`)
    if (strategy['type'] === 'OnDelete') return ready(`${readyNow} of ${wanted} replicas ready; they are updated when somebody deletes them`)
    const partition = isObject(strategy['rollingUpdate']) ? number(strategy['rollingUpdate']['partition']) : 0
    if (updated < wanted - partition) return progressing(`${updated} of ${wanted - partition} replicas updated`)
    if (partition === 0 && status['updateRevision'] !== undefined && status['currentRevision'] !== status['updateRevision']) return progressing('the new revision is not current yet')
    return ready(`${readyNow} of ${wanted} replicas ready`)
  },
  'apps/DaemonSet': (_, status) => {
    if (typeof status['desiredNumberScheduled'] !== 'number') return progressing('not scheduled yet')
    const wanted = status['desiredNumberScheduled']
    const counts = { scheduled: number(status['currentNumberScheduled']), updated: number(status['updatedNumberScheduled']), available: number(status['numberAvailable']), ready: number(status['numberReady']) }
    const lacking = Object.entries(counts).find(([, count]) => count < wanted)
    return lacking === undefined ? ready(`${wanted} of ${wanted} pods ready`) : progressing(`${lacking[1]} of ${wanted} pods ${lacking[0]}`)
  },
  'apps/ReplicaSet': (_, status, spec) => {
    const wanted = number(spec['replicas'], 1)
    const failing = condition(status, 'ReplicaFailure')
    if (failing?.['status'] === 'True') return progressing(text(failing['message']) || 'replicas cannot be made')
    const [all, available, readyNow] = [number(status['replicas']), number(status['availableReplicas']), number(status['readyReplicas'])]
    if (all > wanted) return progressing(`${all - wanted} replicas too many still there`)
    return readyNow < wanted || available < wanted ? progressing(replicas(status, wanted)) : ready(replicas(status, wanted))
  },
  'core/Pod': (object, status) => {
    const why = podTrouble(object)
    if (status['phase'] === 'Succeeded') return ready('it has ended well')
    if (status['phase'] === 'Failed') return failed(why ?? (text(status['message']) || 'it has failed'))
    if (condition(status, 'Ready')?.['status'] === 'True') return ready('ready')
    return why?.startsWith('CrashLoopBackOff') === true ? failed(why) : progressing(why ?? 'not ready yet')
  },
  'core/PersistentVolumeClaim': (_, status) =>
    status['phase'] === 'Bound' ? ready('bound') : status['phase'] === 'Lost' ? failed('its volume is lost') : progressing('not bound to a volume yet'),
  'core/Service': (_, __, spec) => (spec['type'] === 'LoadBalancer' && text(spec['clusterIP']) === '' ? progressing('no address yet') : ready('it exists')),
  'core/Namespace': (_, status) => (status['phase'] === 'Active' || status['phase'] === undefined ? ready('active') : progressing(text(status['phase']))),
  'batch/Job': (_, status, spec) => {
    if (condition(status, 'Complete')?.['status'] === 'True') return ready('complete')
    const failure = condition(status, 'Failed')
    if (failure?.['status'] === 'True') return failed(text(failure['message']) || 'it has failed')
    if (spec['suspend'] === true) return progressing('suspended')
    return progressing(`${number(status['succeeded'])} of ${number(spec['completions'], 1)} completions, ${number(status['active'])} active, ${number(status['failed'])} failed`)
  },
  'apiextensions.k8s.io/CustomResourceDefinition': (_, status) => {
    const names = condition(status, 'NamesAccepted')
    if (names?.['status'] === 'False') return failed(text(names['message']) || 'its names are not accepted')
    return condition(status, 'Established')?.['status'] === 'True' ? ready('established') : progressing('not established yet')
  },
}

/** Readiness of a live object. `generation` is that of our apply: what the status says of an earlier one does not count. */
export function look(key: ObjectKey, object: JsonObject, generation: number | undefined): Look {
  const { group, kind } = parseKey(key)
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  const status = isObject(object['status']) ? object['status'] : {}
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const needed = Math.max(number(metadata['generation']), generation ?? 0)
  const seen = status['observedGeneration']
  if (typeof seen === 'number' && seen < needed) return progressing('its controller has not seen the change yet')
  const rule = rules[`${group === '' ? 'core' : group}/${kind}`]
  // These kinds always write down what they have observed: until they do, nothing has been.
  if (rule !== undefined && typeof seen !== 'number' && ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(kind)) return progressing('its controller has not seen it yet')
  const stalled = condition(status, 'Stalled')
  if (stalled?.['status'] === 'True') return failed(said(stalled))
  const reconciling = condition(status, 'Reconciling')
  if (reconciling?.['status'] === 'True') return progressing(said(reconciling))
  if (rule !== undefined) return rule(object, status, spec)
  return builtIn.has(group) ? ready('it exists') : byConditions(status, needed, reconciling === undefined && stalled === undefined ? untold('it has no condition that tells whether it is ready') : ready('neither reconciling nor stalled'))
}

/** A custom resource: its Ready condition decides. `without`: what it is without one; with only Reconciling or Stalled, neither of them true, it is ready too. */
function byConditions(status: JsonObject, needed: number, without: Look): Look {
  const fit = condition(status, 'Ready')
  if (fit === undefined) return without
  if (typeof fit['observedGeneration'] === 'number' && fit['observedGeneration'] < needed) return progressing('its Ready condition is of an earlier generation')
  return fit['status'] === 'True' ? ready(said(fit)) : progressing(said(fit))
}

/** Why a pod is not ready, in the words of its containers: `CrashLoopBackOff: exit code 1`. */
export function podTrouble(pod: JsonObject): string | undefined {
  const status = isObject(pod['status']) ? pod['status'] : {}
  const containers = [...list(status['initContainerStatuses']), ...list(status['containerStatuses'])]
  for (const container of containers) {
    const state = isObject(container['state']) ? container['state'] : {}
    const waiting = isObject(state['waiting']) ? state['waiting'] : undefined
    const reason = text(waiting?.['reason'])
    if (waiting === undefined || reason === '' || reason === 'ContainerCreating' || reason === 'PodInitializing') continue
    const last = isObject(container['lastState']) && isObject(container['lastState']['terminated']) ? container['lastState']['terminated'] : undefined
    const detail = last === undefined ? text(waiting['message']) : `exit code ${number(last['exitCode'])}`
    return detail === '' ? reason : `${reason}: ${detail.slice(0, 300)}`
  }
  for (const container of containers) {
    const ended = isObject(container['state']) && isObject(container['state']['terminated']) ? container['state']['terminated'] : undefined
    if (ended !== undefined && number(ended['exitCode']) !== 0) return `${text(ended['reason']) || 'Error'}: exit code ${number(ended['exitCode'])}`
  }
  const scheduled = condition(status, 'PodScheduled')
  return scheduled?.['status'] === 'False' ? `${text(scheduled['reason']) || 'not scheduled'}: ${text(scheduled['message']).slice(0, 300)}` : undefined
}

/** States after which an object is followed no further. */
export function isSettled(state: Readiness['state']): boolean {
  return state === 'ready' || state === 'failed' || state === 'gone'
}

function condition(status: JsonObject, type: string): JsonObject | undefined {
  return list(status['conditions']).find((one) => one['type'] === type)
}

function said(one: JsonObject): string {
  const words = [text(one['reason']), text(one['message'])].filter((part) => part !== '').join(': ')
  return (words || `${text(one['type'])} is ${text(one['status'])}`).slice(0, 500)
}

function replicas(status: JsonObject, wanted: number): string {
  return `${number(status['availableReplicas'])} of ${wanted} replicas available`
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function number(value: Json | undefined, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
