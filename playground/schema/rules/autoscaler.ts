import { isObject, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { forbidden, invalidValue, required } from '../causes.ts'
import { listAt, missing, objectAt, oneOf, textAt, type Rule } from './look.ts'

export const autoscaler: Rule = (object, live) => {
  const spec = objectAt(object, 'spec')
  const target = objectAt(spec, 'scaleTargetRef')
  const before = live === undefined ? undefined : objectAt(objectAt(live, 'spec'), 'scaleTargetRef')
  const isNew = before?.apiVersion !== target.apiVersion || before?.kind !== target.kind
  const apiVersion = textAt(target, 'apiVersion')
  const { minReplicas: least, maxReplicas: most = 0 } = spec
  const metrics = listAt(spec, 'metrics')
  const errors: Cause[] = []
  if (typeof least === 'number' && least < 1) errors.push(invalidValue('spec.minReplicas', least, 'must be greater than or equal to 1'))
  if (most === 0) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'))
  else if (typeof most === 'number' && most < 0) errors.push(invalidValue('spec.maxReplicas', most, 'must be greater than or equal to 1'))
  if (typeof least === 'number' && typeof most === 'number' && most < least) errors.push(invalidValue('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'))
  errors.push(...missing(target, 'kind', 'spec.scaleTargetRef'), ...missing(target, 'name', 'spec.scaleTargetRef'))
  if (isNew && !apiVersion.includes('/') && target.kind !== 'ReplicationController') errors.push(invalidValue('spec.scaleTargetRef.apiVersion', apiVersion, 'apiVersion must specify API group'))
  errors.push(...metrics.flatMap((metric, i) => metricErrors(metric, `spec.metrics[${i}]`)))
  const isSeenAtZero = metrics.some(({ type }) => type === 'Object' || type === 'External')
  return least === 0 && !isSeenAtZero ? [...errors, forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas')] : errors
}

const metricSources: Readonly<Record<string, string>> = { Object: 'object', Pods: 'pods', Resource: 'resource', ContainerResource: 'containerResource', External: 'external' }

/** Source: kubernetes `pkg/apis/autoscaling/validation/validation.go`; of the sources only resources are looked into. */
function metricErrors(metric: JsonObject, field: string): Cause[] {
  const { type } = metric
  if (type === undefined || type === '') return [required(`${field}.type`, 'must specify a metric source type')]
  const source = typeof type === 'string' ? metricSources[type] : undefined
  const unsupported = oneOf(type, `${field}.type`, Object.keys(metricSources).sort())
  if (source === undefined) return [...unsupported, ...unsupported] // two looks of the server, which its causes tell
  if (!isObject(metric[source])) return [required(`${field}.${source}`, 'must populate information for the given metric source')]
  const others = Object.values(metricSources).filter((name) => name !== source && metric[name] !== undefined)
  const errors = others.map((name) => forbidden(`${field}.${name}`, 'must populate the given metric source only'))
  return source === 'resource' ? [...errors, ...resourceMetricErrors(objectAt(metric, source), `${field}.${source}`)] : errors
}

function resourceMetricErrors(resource: JsonObject, field: string): Cause[] {
  const { type, averageUtilization, averageValue } = objectAt(resource, 'target')
  const errors = missing(resource, 'name', field, 'must specify a resource name')
  if (type === undefined || type === '') errors.push(required(`${field}.target.type`, 'must specify a metric target type'))
  else if (!['Utilization', 'Value', 'AverageValue'].includes(String(type))) errors.push(invalidValue(`${field}.target.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (typeof averageUtilization === 'number' && averageUtilization < 1) errors.push(invalidValue(`${field}.target.averageUtilization`, averageUtilization, 'must be greater than 0'))
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(`${field}.target.averageUtilization`, 'must set either a target raw value or a target utilization'))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(forbidden(`${field}.target.averageValue`, 'may not set both a target raw value and a target utilization'))
  }
  return errors
}
