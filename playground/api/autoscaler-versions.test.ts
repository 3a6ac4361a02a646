import { expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { asAutoscalerV1, asAutoscalerV2 } from './autoscaler-versions.ts'

const autoscaler = (apiVersion: string, spec: JsonObject, metadata: JsonObject = {}, more: JsonObject = {}): KubernetesObject => ({
  apiVersion,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h', ...metadata },
  spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' }, ...spec },
  ...more,
})
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }
const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } }
const queue = { type: 'External', external: { metric: { name: 'depth' }, target: { type: 'Value', value: '30' } } }

test.each([
  ['cpu alone', { metrics: [cpu] }],
  ['no cpu', { metrics: [memory] }],
  ['a metric of elsewhere, and behaviour', { metrics: [queue, cpu], behavior: { scaleUp: { policies: [] } } }],
])('%s comes back as it went', (_what, spec) => {
  const status = { currentReplicas: 1, desiredReplicas: 1, conditions: [{ type: 'AbleToScale', status: 'True' }], currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 5, averageValue: '1' } } }] }
  const before = autoscaler('autoscaling/v2', spec, { annotations: { mine: 'yes' } }, { status })
  expect(asAutoscalerV2(asAutoscalerV1(before))).toEqual(before)
})

test('nothing said of metrics is cpu at 80 percent', () => {
  const { spec } = asAutoscalerV2(autoscaler('autoscaling/v1', {})) as { spec?: JsonObject }
  expect(spec?.metrics).toEqual([{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }])
})

test.each(['{', 'null', '"x"', '[1,null,{}]', '{"a":1}'])('an annotation that somebody wrote by hand (%s) breaks nothing', (text) => {
  const prefix = 'autoscaling.alpha.kubernetes.io/'
  const annotations = { [`${prefix}metrics`]: text, [`${prefix}conditions`]: text, [`${prefix}behavior`]: text, [`${prefix}current-metrics`]: text }
  const stored = asAutoscalerV2(autoscaler('autoscaling/v1', { targetCPUUtilizationPercentage: 60 }, { annotations }, { status: {} }))
  expect(stored).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { metrics: expect.arrayContaining([cpu]) } })
  expect(stored.metadata.annotations).toBeUndefined()
})
