import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'

const prefix = 'autoscaling.alpha.kubernetes.io/'

type Metric = { readonly name: string; readonly utilization: Json | undefined }

/**
 * A HorizontalPodAutoscaler of `autoscaling/v2` as `autoscaling/v1` shows it: the utilisation of cpu is a field, and what v1 has no field for stands
 * in annotations. Source: kubernetes `pkg/apis/autoscaling/v1/conversion.go`; metrics other than resources keep their v2 shape in the annotation.
 */
export function asAutoscalerV1(object: KubernetesObject): KubernetesObject {
  const { metrics, behavior, ...spec } = objectOf(object.spec)
  const { currentMetrics, conditions, ...status } = objectOf(object.status)
  const wanted = objectsOf(metrics)
  const cpu = wanted.find((metric) => isCpu(metric, 'target'))
  const seen = objectsOf(currentMetrics)
  const cpuNow = seen.find((metric) => isCpu(metric, 'current'))
  const annotations: JsonObject = { ...objectOf(object.metadata.annotations) }
  const keep = (name: string, list: Json): void => {
    if (Array.isArray(list) ? list.length > 0 : isObject(list)) annotations[`${prefix}${name}`] = JSON.stringify(list)
  }
  keep('metrics', wanted.filter((metric) => metric !== cpu).map((metric) => flattened(metric, 'target')))
  keep('current-metrics', seen.map((metric) => flattened(metric, 'current')))
  keep('conditions', conditions ?? [])
  keep('behavior', behavior ?? null)
  const result: KubernetesObject = {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object.metadata, annotations),
    spec: { ...spec, ...given('targetCPUUtilizationPercentage', cpu === undefined ? undefined : resourceOf(cpu, 'target').utilization) },
  }
  if (object.status !== undefined) result.status = { ...status, ...given('currentCPUUtilizationPercentage', cpuNow === undefined ? undefined : resourceOf(cpuNow, 'current').utilization) }
  return result
}

/** The way back. Where nothing is said of metrics it is cpu at 80 percent, as v2 has it by default. */
export function asAutoscalerV2(object: KubernetesObject): KubernetesObject {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = objectOf(object.spec)
  const { currentCPUUtilizationPercentage: _cpuNow, ...status } = objectOf(object.status)
  const annotations: JsonObject = { ...objectOf(object.metadata.annotations) }
  const take = (name: string): Json | undefined => {
    const text = annotations[`${prefix}${name}`]
    delete annotations[`${prefix}${name}`]
    return typeof text === 'string' ? parsed(text) : undefined
  }
  const others = objectsOf(take('metrics')).map((metric) => nested(metric, 'target'))
  const metrics = [...others, ...(cpu === undefined && others.length > 0 ? [] : [cpuMetric(cpu ?? 80)])]
  const current = objectsOf(take('current-metrics')).map((metric) => nested(metric, 'current'))
  const conditions = objectsOf(take('conditions'))
  const behavior = take('behavior')
  const result: KubernetesObject = {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object.metadata, annotations),
    spec: { ...spec, metrics, ...given('behavior', isObject(behavior) ? behavior : undefined) },
  }
  if (object.status !== undefined) result.status = { ...status, currentMetrics: current.length === 0 ? null : current, ...given('conditions', conditions.length === 0 ? undefined : conditions) }
  return result
}

function cpuMetric(utilization: Json): JsonObject {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: utilization } } }
}

function resourceOf(metric: JsonObject, part: 'target' | 'current'): Metric {
  const resource = objectOf(metric.resource)
  return { name: String(resource.name), utilization: objectOf(resource[part]).averageUtilization }
}

function isCpu(metric: JsonObject, part: 'target' | 'current'): boolean {
  const { name, utilization } = resourceOf(metric, part)
  return metric.type === 'Resource' && name === 'cpu' && utilization !== undefined
}

/** A resource's metric in the annotation: `{ name, targetAverageUtilization }`. */
function flattened(metric: JsonObject, part: 'target' | 'current'): JsonObject {
  if (metric.type !== 'Resource') return metric
  const resource = objectOf(metric.resource)
  const { averageUtilization, averageValue } = objectOf(resource[part])
  return {
    type: 'Resource',
    resource: { name: resource.name ?? '', ...given(`${part}AverageUtilization`, averageUtilization), ...given(`${part}AverageValue`, averageValue) },
  }
}

function nested(metric: JsonObject, part: 'target' | 'current'): JsonObject {
  const resource = objectOf(metric.resource)
  if (metric.type !== 'Resource' || resource[part] !== undefined) return metric
  const [utilization, value] = [resource[`${part}AverageUtilization`], resource[`${part}AverageValue`]]
  const type = part === 'current' ? {} : { type: utilization === undefined ? 'AverageValue' : 'Utilization' }
  return { type: 'Resource', resource: { name: resource.name ?? '', [part]: { ...type, ...given('averageUtilization', utilization), ...given('averageValue', value) } } }
}

function withAnnotations(metadata: KubernetesObject['metadata'], annotations: JsonObject): KubernetesObject['metadata'] {
  const { annotations: _before, ...rest } = metadata
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }
}

/** An annotation is whatever somebody wrote there. */
function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function given(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value }
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
