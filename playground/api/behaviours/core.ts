import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause, KubernetesObject } from '#playground/contract.ts'
import { quantityNanos } from '#playground/schema/quantity.ts'
import { timeNow } from '../backend.ts'
import { valueAt } from '../paths.ts'
import type { Behaviour } from './behaviours.ts'
import { forbidden } from '../status.ts'
import { forbiddenChange, invalidValue, unchangeable } from './immutable.ts'
import { keepNodePorts, specOf, takeNodePorts } from './node-ports.ts'

export const namespace: Behaviour = {
  create: (object) => {
    object.spec = { ...specOf(object), finalizers: ['kubernetes'] }
    object.status = { phase: 'Active' }
  },
  update: (object, live) => {
    // Only an ending namespace is let go of.
    if (live.metadata.deletionTimestamp === undefined) object.spec = { ...specOf(object), finalizers: valueAt(live, 'spec.finalizers') ?? [] }
  },
}

const immutableData: Behaviour['check'] = (object, live) => {
  if (live?.immutable !== true) return []
  return [
    ...(object.immutable === true ? [] : [forbiddenChange('immutable', 'field is immutable when `immutable` is set')]),
    ...['data', 'binaryData']
      .filter((name) => !equalJson(object[name], live[name]))
      .map((name) => forbiddenChange(name, 'field is immutable when `immutable` is set')),
  ]
}

export const configMap: Behaviour = { check: immutableData }

export const secret: Behaviour = {
  check: (object, live) => [...unchangeable(object, live, ['type']), ...(immutableData(object, live) ?? [])],
}

export const service: Behaviour = {
  create: (object) => {
    object.status = { loadBalancer: {} }
  },
  admitted: (object, options, backend) => {
    const spec = { ...specOf(object) }
    if (spec.type === 'ExternalName') return
    if (spec.clusterIP === undefined || spec.clusterIP === '') spec.clusterIP = options.assignClusterIP()
    spec.clusterIPs ??= [spec.clusterIP]
    spec.ipFamilies ??= ['IPv4']
    spec.ipFamilyPolicy ??= 'SingleStack'
    object.spec = spec
    takeNodePorts(object, backend)
  },
  update: (object, live) => {
    const spec = { ...specOf(object) }
    const before = specOf(live)
    // A client that leaves these out does not ask for their removal.
    if (spec.type !== 'ExternalName') {
      for (const name of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) if ((spec[name] === undefined || spec[name] === '') && before[name] !== undefined) spec[name] = before[name]
    }
    object.spec = spec
    keepNodePorts(object, live)
  },
  changed: (object, _live, backend) => takeNodePorts(object, backend),
  check: (object, live) => {
    const [was, is] = [valueAt(live, 'spec.clusterIP'), valueAt(object, 'spec.clusterIP')]
    if (live === undefined || was === is || valueAt(object, 'spec.type') === 'ExternalName' || valueAt(live, 'spec.type') === 'ExternalName') return []
    return [invalidValue('spec.clusterIPs[0]', [is ?? ''], 'may not change once set')]
  },
}

export const pod: Behaviour = {
  create: (object, options, backend) => {
    const spec = specOf(object)
    const account = accountOf(spec)
    const { namespace = '', name = '' } = object.metadata
    // `default` may come a moment later than its namespace.
    if (options.namespaceLifecycle && account !== 'default' && backend.storage.get('/serviceaccounts', `${namespace}/${account}`) === undefined) {
      throw forbidden({ group: '', plural: 'pods', kind: 'Pod' }, name, `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`)
    }
    object.status = { phase: 'Pending', qosClass: qosClass(spec), ...(gatesOf(object).length === 0 ? {} : { conditions: [{ ...gated, lastTransitionTime: timeNow(backend) }] }) }
  },
  admitted: (object) => {
    const account = accountOf(specOf(object))
    object.spec = { ...specOf(object), serviceAccountName: account, serviceAccount: account }
    tolerateLostNodes(object.spec)
    if (object.spec.priorityClassName === undefined) object.spec = { priority: 0, preemptionPolicy: 'PreemptLowerPriority', ...object.spec }
  },
  check: (object, live) => {
    if (live === undefined) return []
    const fixed = (pod: KubernetesObject): JsonObject => {
      const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, nodeName, containers, initContainers, ...rest } = specOf(pod)
      const images = (list: Json | undefined): Json => (Array.isArray(list) ? list.map((item) => (isObject(item) ? { ...item, image: '' } : item)) : [])
      // A scheduler sets the node once.
      return { ...rest, containers: images(containers), initContainers: images(initContainers), nodeName: specOf(live).nodeName === undefined ? '' : (nodeName ?? '') }
    }
    const added = gatesOf(object).flatMap((name, i) => (gatesOf(live).includes(name) ? [] : [forbiddenChange(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`)]))
    if (equalJson(fixed(object), fixed(live))) return added
    return [
      ...added,
      forbiddenChange(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    ]
  },
}

const gated = { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates', lastProbeTime: null }

function gatesOf(pod: KubernetesObject): string[] {
  const gates = specOf(pod).schedulingGates
  return Array.isArray(gates) ? gates.filter(isObject).map(({ name }) => String(name)) : []
}

/** Five minutes on a node that is not heard of, where a pod says nothing else of it. Source: kubernetes `plugin/pkg/admission/defaulttolerationseconds`. */
function tolerateLostNodes(spec: JsonObject): void {
  const tolerations = Array.isArray(spec.tolerations) ? spec.tolerations.filter(isObject) : []
  const lacking = ['not-ready', 'unreachable'].map((name) => `node.kubernetes.io/${name}`).filter((name) => !tolerations.some(({ key = '', effect = 'NoExecute' }) => (key === '' || key === name) && effect === 'NoExecute'))
  if (lacking.length > 0) spec.tolerations = [...tolerations, ...lacking.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }))]
}

function accountOf({ serviceAccountName }: JsonObject): string {
  return typeof serviceAccountName === 'string' && serviceAccountName !== '' ? serviceAccountName : 'default'
}

function qosClass(spec: JsonObject): string {
  const containers = (Array.isArray(spec.containers) ? spec.containers : []).filter(isObject)
  const resources = containers.map((container) => (isObject(container.resources) ? container.resources : {}))
  if (resources.every((entry) => !isObject(entry.requests) && !isObject(entry.limits))) return 'BestEffort'
  const guaranteed = resources.every((entry) => {
    if (!isObject(entry.limits) || entry.limits.cpu === undefined || entry.limits.memory === undefined) return false
    return entry.requests === undefined || equalJson(entry.requests, entry.limits)
  })
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

const claimProtection = 'kubernetes.io/pvc-protection'

export const volumeClaim: Behaviour = {
  create: (object) => {
    object.status = { phase: 'Pending' }
  },
  // What controllers take away when no pod has it any more.
  admitted: (object) => {
    const finalizers = Array.isArray(object.metadata.finalizers) ? object.metadata.finalizers : []
    if (!finalizers.includes(claimProtection)) object.metadata = { ...object.metadata, finalizers: [...finalizers, claimProtection] }
  },
  check: (object, live) => {
    if (live === undefined) return []
    const fixed = (claim: KubernetesObject): JsonObject => {
      const { resources, volumeAttributesClassName: _class, volumeName, storageClassName, ...rest } = specOf(claim)
      const free = valueAt(live, 'status.phase') === 'Bound' ? { storage: '' } : {}
      const other = isObject(resources) ? { ...resources, requests: isObject(resources.requests) ? { ...resources.requests, ...free } : null } : null
      return {
        ...rest,
        resources: other,
        volumeName: specOf(live).volumeName === undefined ? '' : (volumeName ?? ''),
        storageClassName: specOf(live).storageClassName === undefined ? '' : (storageClassName ?? ''),
      }
    }
    if (equalJson(fixed(object), fixed(live))) return shrunk(object, live)
    return [
      forbiddenChange('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'),
    ]
  },
}

/** A claim may be made smaller only while it has not grown that far. Source: kubernetes `pkg/apis/core/validation/validation.go`. */
function shrunk(object: KubernetesObject, live: KubernetesObject): Cause[] {
  const [was, is, has] = [valueAt(live, 'spec.resources.requests.storage'), valueAt(object, 'spec.resources.requests.storage'), valueAt(live, 'status.capacity.storage')].map((amount) => (typeof amount === 'string' || typeof amount === 'number' ? quantityNanos(amount) : undefined))
  if (was === undefined || is === undefined || is >= was || is > (has ?? 0n)) return []
  return [forbiddenChange('spec.resources.requests.storage', 'field can not be less than status.capacity')]
}

export const roleBinding: Behaviour = {
  check: (object, live) =>
    live === undefined || equalJson(object.roleRef, live.roleRef) ? [] : [invalidValue('roleRef', object.roleRef, 'cannot change roleRef')],
}
