import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { valueAt } from '../paths.ts'
import { age } from './age.ts'
import type { Column } from './column.ts'

/** A column that shows a text. */
export function show(name: string, cell: Column['cell'], priority: 0 | 1 = 0, type: Column['type'] = 'string'): Column {
  return { name, type, cell, priority }
}

/** A column that shows what stands at a path, or a substitute. */
export function at(name: string, path: string, instead: Json = '<none>', priority: 0 | 1 = 0, type: Column['type'] = 'string'): Column {
  return show(name, (object) => (valueAt(object, path) as Json | undefined) ?? instead, priority, type)
}

export const created: Column = show('Age', (object, now) => age(object.metadata.creationTimestamp, now))

export const createdAt: Column = show('Created At', (object) => textAt(object, 'metadata.creationTimestamp'), 0, 'date')

export function textAt(object: Json | undefined, path: string): string {
  const value = valueAt(object, path)
  return typeof value === 'string' ? value : ''
}

export function numberAt(object: Json | undefined, path: string): number {
  const value = valueAt(object, path)
  return typeof value === 'number' ? value : 0
}

export function listAt(object: Json | undefined, path: string): JsonObject[] {
  const value = valueAt(object, path)
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function countAt(object: Json | undefined, path: string): number {
  const value = valueAt(object, path)
  return Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0
}

export function joined(texts: readonly (string | undefined)[], instead = '<none>'): string {
  const given = texts.filter((text) => text !== undefined && text !== '')
  return given.length === 0 ? instead : given.join(',')
}

/** `a=b,c in (d,e)`: a label selector as it is printed. */
export function selectorText(selector: Json | undefined): string {
  if (!isObject(selector)) return '<none>'
  const labels = 'matchLabels' in selector || 'matchExpressions' in selector ? selector.matchLabels : selector
  const equal = isObject(labels) ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`) : []
  const expressions = listAt(selector, 'matchExpressions').map((expression) => {
    const key = String(expression.key)
    const values = Array.isArray(expression.values) ? expression.values.join(',') : ''
    if (expression.operator === 'Exists') return key
    if (expression.operator === 'DoesNotExist') return `!${key}`
    return `${key} ${String(expression.operator).toLowerCase()} (${values})`
  })
  return joined([...equal.sort(), ...expressions])
}

/** Containers, images and selector: the wide columns that workloads share. */
export function workload(selectorPath = 'spec.selector'): Column[] {
  const containers = (object: KubernetesObject): JsonObject[] => listAt(object, 'spec.template.spec.containers')
  return [
    show('Containers', (object) => joined(containers(object).map((container) => String(container.name))), 1),
    show('Images', (object) => joined(containers(object).map((container) => String(container.image ?? ''))), 1),
    show('Selector', (object) => selectorText(valueAt(object, selectorPath)), 1),
  ]
}
