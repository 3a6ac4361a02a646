import type { KubernetesObject } from '#playground/contract.ts'

/** The fields that `events.k8s.io/v1` calls otherwise than `v1` does. Source: kubernetes `pkg/apis/events/v1/conversion.go`. */
const names: readonly (readonly [string, string])[] = [
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['involvedObject', 'regarding'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
]
const newNames: ReadonlyMap<string, string> = new Map(names)
const oldNames: ReadonlyMap<string, string> = new Map(names.map(([old, name]) => [name, old]))

/** An Event of `v1` as `events.k8s.io/v1` shows it. */
export function asNewEvent({ reportingInstance, ...object }: KubernetesObject): KubernetesObject {
  return renamed({ ...object, ...(reportingInstance === undefined || reportingInstance === '' ? {} : { reportingInstance }) } as KubernetesObject, newNames, 'events.k8s.io/v1')
}

/** The way back. */
export function asCoreEvent(object: KubernetesObject): KubernetesObject {
  return renamed(object, oldNames, 'v1')
}

function renamed(object: KubernetesObject, to: ReadonlyMap<string, string>, apiVersion: string): KubernetesObject {
  return { ...Object.fromEntries(Object.entries(object).map(([name, value]) => [to.get(name) ?? name, value])), apiVersion } as KubernetesObject
}
