import type { JsonObject } from '#lib/json.ts'
import { at, each, fill } from './fill.ts'

/** A pod's spec, also in a template. Source: kubernetes `pkg/apis/core/v1/defaults.go`. */
export function podSpecDefaults(spec: JsonObject): void {
  const account = spec.serviceAccountName ?? spec.serviceAccount
  if (account !== undefined) Object.assign(spec, { serviceAccountName: account, serviceAccount: account }) // the older name is another one for the same
  fill(spec, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler', securityContext: {}, terminationGracePeriodSeconds: 30 })
  for (const container of [...each(spec, 'containers'), ...each(spec, 'initContainers'), ...each(spec, 'ephemeralContainers')]) containerDefaults(container)
  if (spec.hostNetwork === true) {
    for (const container of [...each(spec, 'containers'), ...each(spec, 'initContainers')]) {
      for (const port of each(container, 'ports')) if (port.containerPort !== undefined) fill(port, { hostPort: port.containerPort })
    }
  }
  for (const volume of each(spec, 'volumes')) volumeDefaults(volume)
}

function containerDefaults(container: JsonObject): void {
  const { image } = container
  if (typeof image === 'string') fill(container, { imagePullPolicy: isLatest(image) ? 'Always' : 'IfNotPresent' })
  fill(container, { resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' })
  for (const port of each(container, 'ports')) fill(port, { protocol: 'TCP' })
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = at(container, name)
    if (probe === undefined) continue
    fill(probe, { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 })
    httpDefaults(probe)
    const grpc = at(probe, 'grpc')
    if (grpc !== undefined) fill(grpc, { service: '' })
  }
  for (const name of ['postStart', 'preStop']) httpDefaults(at(container, 'lifecycle', name) ?? {})
  for (const variable of each(container, 'env')) {
    fieldDefaults(at(variable, 'valueFrom') ?? {})
    const secret = at(variable, 'valueFrom', 'resourceFieldRef')
    if (secret !== undefined) fill(secret, { divisor: '0' })
  }
}

/** No tag, or `latest`: such an image may be another one tomorrow. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1]
  return tag === undefined || tag === 'latest'
}

function httpDefaults(handler: JsonObject): void {
  const http = at(handler, 'httpGet')
  if (http !== undefined) fill(http, { path: '/', scheme: 'HTTP' })
}

function fieldDefaults(source: JsonObject): void {
  const field = at(source, 'fieldRef')
  if (field !== undefined) fill(field, { apiVersion: 'v1' })
}

function volumeDefaults(volume: JsonObject): void {
  if (Object.keys(volume).every((name) => name === 'name')) volume.emptyDir = {}
  for (const name of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const source = at(volume, name)
    if (source !== undefined) fill(source, { defaultMode: 0o644 })
  }
  for (const item of each(volume, 'downwardAPI', 'items')) fieldDefaults(item)
  for (const source of each(volume, 'projected', 'sources')) {
    for (const item of each(source, 'downwardAPI', 'items')) fieldDefaults(item)
    const token = at(source, 'serviceAccountToken')
    if (token !== undefined) fill(token, { expirationSeconds: 3600 })
  }
  const hostPath = at(volume, 'hostPath')
  if (hostPath !== undefined) fill(hostPath, { type: '' })
  const claim = at(volume, 'ephemeral', 'volumeClaimTemplate', 'spec')
  if (claim !== undefined) fill(claim, { volumeMode: 'Filesystem' })
}
