import { isIP, isIPv4 } from 'node:net'
import { isObject, type JsonObject } from '#lib/json.ts'
import { labelNameProblems, subdomainProblems } from '#lib/object-names.ts'
import type { Cause } from '#playground/contract.ts'
import { duplicateText, forbidden, duplicate, invalidValue, required } from '../causes.ts'
import { labelErrors } from '../metadata-errors.ts'
import { listAt, missing, objectAt, oneOf, portNumber, portOrName, protocols, textAt, type Rule } from './look.ts'

export const service: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const ports = listAt(spec, 'ports')
  const errors: Cause[] = []
  if (ports.length === 0 && spec.clusterIP !== 'None' && spec.type !== 'ExternalName') errors.push(required('spec.ports'))
  if (spec.type === 'ExternalName') errors.push(...missing(spec, 'externalName', 'spec'))
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) errors.push(...servicePortErrors(port, `spec.ports[${i}]`, names, ports.length > 1))
  errors.push(...labelErrors(spec.selector, 'spec.selector'), ...oneOf(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']))
  errors.push(...oneOf(spec.type, 'spec.type', ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']))
  const address = textAt(spec, 'clusterIP')
  if (address !== '' && address !== 'None' && isIP(address) === 0) errors.push(invalidValue('spec.clusterIPs[0]', address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  if (spec.type === 'ClusterIP') errors.push(...ports.flatMap(({ nodePort }, i) => (nodePort === undefined ? [] : [forbidden(`spec.ports[${i}].nodePort`, 'may not be used when `type` is \'ClusterIP\'')])))
  return [...errors, ...samePorts(ports)]
}

function servicePortErrors(port: JsonObject, field: string, names: Set<string>, isOneOfMany: boolean): Cause[] {
  const name = textAt(port, 'name')
  const errors: Cause[] = []
  if (name === '' && isOneOfMany) errors.push(required(`${field}.name`))
  if (name !== '') errors.push(...labelNameProblems(name).map((problem) => invalidValue(`${field}.name`, name, problem)))
  if (name !== '' && names.has(name)) errors.push(duplicate(`${field}.name`, name))
  names.add(name)
  errors.push(...portNumber(port.port ?? 0, `${field}.port`), ...oneOf(port.protocol, `${field}.protocol`, protocols))
  return [...errors, ...portOrName(port.targetPort, `${field}.targetPort`)]
}

/** One port and protocol are named once; the server prints what it compares. */
function samePorts(ports: readonly JsonObject[]): Cause[] {
  const taken = new Set<string>()
  return ports.flatMap(({ port = 0, protocol = 'TCP' }, i) => {
    const key = `${String(port)}/${String(protocol)}`
    const isTaken = taken.has(key)
    taken.add(key)
    return isTaken ? [duplicateText(`spec.ports[${i}]`, JSON.stringify({ Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }))] : []
  })
}

export const ingress: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const rules = listAt(spec, 'rules')
  if (rules.length === 0 && spec.defaultBackend === undefined) return [invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified')]
  const errors = isObject(spec.defaultBackend) ? backendErrors(spec.defaultBackend, 'spec.defaultBackend') : []
  for (const [i, rule] of rules.entries()) {
    errors.push(...hostErrors(textAt(rule, 'host'), `spec.rules[${i}].host`))
    if (isObject(rule.http)) errors.push(...pathErrors(listAt(rule.http, 'paths'), `spec.rules[${i}].http.paths`))
  }
  return errors
}

function hostErrors(host: string, field: string): Cause[] {
  if (host === '') return []
  if (isIP(host) !== 0) return [invalidValue(field, host, 'must be a DNS name, not an IP address')]
  return subdomainProblems(host.replace(/^\*\./, '')).map((problem) => invalidValue(field, host, problem))
}

function pathErrors(paths: readonly JsonObject[], field: string): Cause[] {
  if (paths.length === 0) return [required(field)]
  return paths.flatMap((path, j) => {
    const at = `${field}[${j}]`
    const text = textAt(path, 'path')
    const { pathType } = path
    if (typeof pathType !== 'string') return [required(`${at}.pathType`, 'pathType must be specified'), ...backendErrors(objectAt(path, 'backend'), `${at}.backend`)]
    const errors = oneOf(pathType, `${at}.pathType`, ['Exact', 'ImplementationSpecific', 'Prefix'])
    if (errors.length === 0 && (pathType !== 'ImplementationSpecific' || text !== '') && !text.startsWith('/')) errors.push(invalidValue(`${at}.path`, text, 'must be an absolute path'))
    return [...errors, ...backendErrors(objectAt(path, 'backend'), `${at}.backend`)]
  })
}

function backendErrors(backend: JsonObject, field: string): Cause[] {
  if (isObject(backend.resource)) return []
  if (!isObject(backend.service)) return [invalidValue(field, '', 'resource or service backend is required')]
  const { name, number } = objectAt(backend.service, 'port')
  const errors = missing(backend.service, 'name', `${field}.service`)
  if (name !== undefined && number !== undefined) return [...errors, invalidValue(field, '', 'cannot set both port name & port number')]
  if (name === undefined && number === undefined) return [...errors, required(field, 'port name or number is required')]
  return number === undefined ? errors : [...errors, ...portNumber(number, `${field}.service.port.number`)]
}

/** Source: kubernetes `pkg/apis/networking/validation/validation.go`. */
export const networkPolicy: Rule = (object) => {
  const spec = objectAt(object, 'spec')
  const errors = (['ingress', 'egress'] as const).flatMap((way) =>
    listAt(spec, way).flatMap((rule, i) => {
      const field = `spec.${way}[${i}]`
      const peers = way === 'ingress' ? 'from' : 'to'
      const ports = listAt(rule, 'ports').flatMap((port, j) => policyPortErrors(port, `${field}.ports[${j}]`))
      return [...ports, ...listAt(rule, peers).flatMap((peer, j) => peerErrors(peer, `${field}.${peers}[${j}]`))]
    }),
  )
  const types = Array.isArray(spec.policyTypes) ? spec.policyTypes : []
  return [...errors, ...types.flatMap((type, i) => oneOf(type, `spec.policyTypes[${i}]`, ['Ingress', 'Egress']))]
}

function policyPortErrors({ protocol, port }: JsonObject, field: string): Cause[] {
  return [...oneOf(protocol, `${field}.protocol`, ['TCP', 'UDP', 'SCTP']), ...(port === undefined ? [] : portOrName(port, `${field}.port`))]
}

function peerErrors(peer: JsonObject, field: string): Cause[] {
  const others = ['podSelector', 'namespaceSelector'].filter((name) => isObject(peer[name]))
  if (!isObject(peer.ipBlock)) return others.length === 0 ? [required(field, 'must specify a peer')] : []
  const cidr = textAt(peer.ipBlock, 'cidr')
  const errors = cidr === '' ? [required(`${field}.ipBlock.cidr`)] : isCidr(cidr) ? [] : [invalidValue(`${field}.ipBlock.cidr`, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  return others.length === 0 ? errors : [...errors, forbidden(field, 'may not specify both ipBlock and another peer')]
}

function isCidr(text: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128)
}
