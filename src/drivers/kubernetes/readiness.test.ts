import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '#lib/json.ts'
import { look, podTrouble } from './readiness.ts'

const condition = (type: string, status: string, reason = '', message = '', more: JsonObject = {}): JsonObject => ({ type, status, reason, message, ...more })
const object = (spec: JsonObject, status: JsonObject, generation = 2): JsonObject => ({ metadata: { generation }, spec, status })
const seen = { observedGeneration: 2 }
const full = { ...seen, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }

type Row = readonly [what: string, key: string, object: JsonObject, state: string, message: string | RegExp, generation?: number]

const rows: Row[] = [
  ['all there', 'apps/Deployment/n/a', object({ replicas: 2 }, full), 'ready', '2 of 2 replicas available'],
  ['an old status', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, observedGeneration: 1 }), 'progressing', /has not seen the change/],
  ['a read that is older than our apply', 'apps/Deployment/n/a', object({ replicas: 2 }, full), 'progressing', /has not seen the change/, 3],
  ['no status yet', 'apps/Deployment/n/a', object({ replicas: 0 }, {}), 'progressing', /has not seen it/],
  ['half updated', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, updatedReplicas: 1 }), 'progressing', '1 of 2 replicas updated'],
  ['old ones left', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, replicas: 3 }), 'progressing', '1 old replicas still there'],
  ['one unavailable', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, availableReplicas: 1 }), 'progressing', '1 of 2 replicas available'],
  ['one not ready', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, readyReplicas: 1 }), 'progressing', /replicas available/],
  ['not Available', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, conditions: [condition('Available', 'False', '', 'minimum not met')] }), 'progressing', 'minimum not met'],
  ['late', 'apps/Deployment/n/a', object({ replicas: 2 }, { ...full, availableReplicas: 0, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] }), 'failed', /no progress within its deadline: 0 of 2/],
  ['none wanted', 'apps/Deployment/n/a', object({ replicas: 0 }, { ...seen }), 'ready', '0 of 0 replicas available'],
  ['one wanted, as nothing is said', 'apps/Deployment/n/a', object({}, { ...seen }), 'progressing', '0 of 1 replicas updated'],
  ['all there', 'apps/StatefulSet/n/a', object({ replicas: 2 }, { ...full, currentRevision: 'b', updateRevision: 'b' }), 'ready', '2 of 2 replicas ready'],
  ['the old revision', 'apps/StatefulSet/n/a', object({ replicas: 2 }, { ...full, currentRevision: 'a', updateRevision: 'b' }), 'progressing', /new revision/],
  ['too many', 'apps/StatefulSet/n/a', object({ replicas: 1 }, full), 'progressing', '1 replicas too many still there'],
  ['too few', 'apps/StatefulSet/n/a', object({ replicas: 3 }, full), 'progressing', '2 of 3 replicas made'],
  ['beyond its partition', 'apps/StatefulSet/n/a', object({ replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }, { ...full, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' }), 'ready', /2 of 2/],
  ['updated by deleting', 'apps/StatefulSet/n/a', object({ replicas: 2, updateStrategy: { type: 'OnDelete' } }, { ...full, updatedReplicas: 0 }), 'ready', /somebody deletes/],
  ['everywhere', 'apps/DaemonSet/n/a', object({}, { ...seen, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3, numberReady: 3 }), 'ready', '3 of 3 pods ready'],
  ['not scheduled', 'apps/DaemonSet/n/a', object({}, seen), 'progressing', 'not scheduled yet'],
  ['not updated', 'apps/DaemonSet/n/a', object({}, { ...seen, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 3, numberReady: 3 }), 'progressing', '1 of 3 pods updated'],
  ['all there', 'apps/ReplicaSet/n/a', object({ replicas: 2 }, full), 'ready', /2 of 2/],
  ['quota', 'apps/ReplicaSet/n/a', object({ replicas: 2 }, { ...seen, conditions: [condition('ReplicaFailure', 'True', '', 'exceeded quota')] }), 'progressing', 'exceeded quota'],
  ['ready', 'core/Pod/n/a', object({}, { phase: 'Running', conditions: [condition('Ready', 'True')] }), 'ready', 'ready'],
  ['ended', 'core/Pod/n/a', object({}, { phase: 'Succeeded' }), 'ready', /ended/],
  ['failed', 'core/Pod/n/a', object({}, { phase: 'Failed', message: 'evicted' }), 'failed', 'evicted'],
  ['crashing', 'core/Pod/n/a', object({}, { phase: 'Running', containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 3 } } }] }), 'failed', 'CrashLoopBackOff: exit code 3'],
  ['unschedulable', 'core/Pod/n/a', object({}, { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes')] }), 'progressing', 'Unschedulable: 0/3 nodes'],
  ['bound', 'core/PersistentVolumeClaim/n/a', object({}, { phase: 'Bound' }), 'ready', 'bound'],
  ['pending', 'core/PersistentVolumeClaim/n/a', object({}, { phase: 'Pending' }), 'progressing', /not bound/],
  ['lost', 'core/PersistentVolumeClaim/n/a', object({}, { phase: 'Lost' }), 'failed', /lost/],
  ['complete', 'batch/Job/n/a', object({}, { conditions: [condition('Complete', 'True')] }), 'ready', 'complete'],
  ['running', 'batch/Job/n/a', object({ completions: 2 }, { active: 1, succeeded: 1 }), 'progressing', '1 of 2 completions, 1 active, 0 failed'],
  ['failed', 'batch/Job/n/a', object({}, { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'too many')] }), 'failed', 'too many'],
  ['suspended', 'batch/Job/n/a', object({ suspend: true }, {}), 'progressing', 'suspended'],
  ['a cluster address', 'core/Service/n/a', object({ type: 'ClusterIP' }, {}), 'ready', 'it exists'],
  ['no address yet', 'core/Service/n/a', object({ type: 'LoadBalancer' }, {}), 'progressing', 'no address yet'],
  ['active', 'core/Namespace//a', object({}, { phase: 'Active' }), 'ready', 'active'],
  ['established', 'apiextensions.k8s.io/CustomResourceDefinition//a', object({}, { conditions: [condition('NamesAccepted', 'True'), condition('Established', 'True')] }), 'ready', 'established'],
  ['not yet', 'apiextensions.k8s.io/CustomResourceDefinition//a', object({}, {}), 'progressing', 'not established yet'],
  ['names taken', 'apiextensions.k8s.io/CustomResourceDefinition//a', object({}, { conditions: [condition('NamesAccepted', 'False', '', 'in use')] }), 'failed', 'in use'],
  ['exists', 'policy/PodDisruptionBudget/n/a', object({}, seen), 'ready', 'it exists'],
  ['an old status', 'policy/PodDisruptionBudget/n/a', object({}, { observedGeneration: 1 }), 'progressing', /has not seen/],
  ['exists', 'autoscaling/HorizontalPodAutoscaler/n/a', object({}, {}), 'ready', 'it exists'],
  ['exists', 'networking.k8s.io/Ingress/n/a', object({}, {}), 'ready', 'it exists'],
  ['exists', 'core/ConfigMap/n/a', { metadata: {} }, 'ready', 'it exists'],
  ['Ready', 'example.dev/Thing/n/a', object({}, { ...seen, conditions: [condition('Ready', 'True', 'Fine', 'all well')] }), 'ready', 'Fine: all well'],
  ['not Ready', 'example.dev/Thing/n/a', object({}, { conditions: [condition('Ready', 'False', 'Creating', 'wait')] }), 'progressing', 'Creating: wait'],
  ['Ready of an earlier generation', 'example.dev/Thing/n/a', object({}, { conditions: [condition('Ready', 'True', '', '', { observedGeneration: 1 })] }), 'progressing', /earlier generation/],
  ['Ready, but an old status', 'example.dev/Thing/n/a', object({}, { observedGeneration: 1, conditions: [condition('Ready', 'True')] }), 'progressing', /has not seen/],
  ['Reconciling', 'example.dev/Thing/n/a', object({}, { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True', 'Working')] }), 'progressing', 'Working'],
  ['Stalled', 'example.dev/Thing/n/a', object({}, { conditions: [condition('Stalled', 'True', 'BadSpec', 'no')] }), 'failed', 'BadSpec: no'],
  ['neither Reconciling nor Stalled', 'example.dev/Thing/n/a', object({}, { conditions: [condition('Reconciling', 'False')] }), 'ready', /neither/],
  ['no conditions', 'example.dev/Thing/n/a', object({}, { phase: 'Fine' }), 'untold', /no condition/],
  ['conditions that do not tell', 'gateway.networking.k8s.io/Gateway/n/a', object({}, { conditions: [condition('Accepted', 'True')] }), 'untold', /no condition/],
]

describe('readiness', () => {
  const cases = rows.map(([what, key, body, state, message, generation]) => ({ what, key, body, state, message, generation }))
  test.each(cases)('$what: $key', ({ key, body, state, message, generation }) => {
    const told = look(key, body, generation)
    expect(told.state).toBe(state)
    expect(told.message).toMatch(message)
  })

  test('is never ready for what makes no sense', () => {
    const nonsense: Json[] = [null, 'x', [], 7, { conditions: 'x' }, { conditions: [null, 7, 'x'] }, { replicas: 'many', observedGeneration: 'x' }]
    for (const status of nonsense) for (const key of ['apps/Deployment/n/a', 'apps/StatefulSet/n/a', 'apps/DaemonSet/n/a', 'batch/Job/n/a', 'core/Pod/n/a', 'example.dev/Thing/n/a']) {
      expect(look(key, { metadata: { generation: 2 }, spec: 'x', status }, 2).state).not.toBe('ready')
    }
  })
})

test('a pod tells its trouble in the words of its containers', () => {
  const pod = (...containerStatuses: JsonObject[]) => podTrouble({ status: { containerStatuses } })
  expect(pod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } } })).toBe('ImagePullBackOff: Back-off pulling image "x"')
  expect(pod({ state: { running: {} } }, { state: { terminated: { exitCode: 1, reason: 'OOMKilled' } } })).toBe('OOMKilled: exit code 1')
  expect(pod({ state: { waiting: { reason: 'ContainerCreating' } } })).toBeUndefined()
  expect(pod({ state: { running: {} } })).toBeUndefined()
  expect(podTrouble({ status: { initContainerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 2 } } }], containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }] } })).toBe('CrashLoopBackOff: exit code 2')
})
