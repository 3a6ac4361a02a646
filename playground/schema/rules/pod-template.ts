import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'
import { duplicate, forbidden, invalidValue, required } from '../causes.ts'
import { labelErrors } from '../metadata-errors.ts'
import { labelNameProblems } from '#lib/object-names.ts'
import { quantityNanos } from '../quantity.ts'
import { listAt, missing, objectAt, oneOf, portNumber, protocols, textAt } from './look.ts'

/** Source of rules and words: kubernetes `pkg/apis/core/validation/validation.go`, the part that a delivery meets. */
export function podSpecErrors(spec: JsonObject, field: string, restartPolicies: readonly string[] = ['Always', 'OnFailure', 'Never']): Cause[] {
  const volumes = new Set(listAt(spec, 'volumes').map((volume) => textAt(volume, 'name')))
  const errors = [...volumeErrors(spec, `${field}.volumes`)]
  const containers = listAt(spec, 'containers')
  if (containers.length === 0) errors.push(required(`${field}.containers`))
  const names = new Set<string>()
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const [i, container] of listAt(spec, list).entries()) errors.push(...containerErrors(container, `${field}.${list}[${i}]`, volumes, names))
  }
  errors.push(...oneOf(spec.restartPolicy, `${field}.restartPolicy`, restartPolicies))
  errors.push(...oneOf(spec.dnsPolicy, `${field}.dnsPolicy`, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']))
  const grace = spec.terminationGracePeriodSeconds
  if (typeof grace === 'number' && grace < 0) errors.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'))
  return errors
}

/** A template: its labels are looked at, and must be what the selector selects. */
export function templateErrors(spec: JsonObject, kind: string, restartPolicies: readonly string[]): Cause[] {
  const template = objectAt(spec, 'template')
  const labels = objectAt(objectAt(template, 'metadata'), 'labels')
  const errors = labelErrors(labels, 'spec.template.labels')
  errors.push(...selectorErrors(spec.selector, labels, kind))
  return [...errors, ...podSpecErrors(objectAt(template, 'spec'), 'spec.template.spec', restartPolicies)]
}

/** No selector selects nothing; an empty one would select everything. */
export function selectorErrors(selector: Json | undefined, labels: JsonObject, kind: string): Cause[] {
  const unmatched = invalidValue('spec.template.metadata.labels', Object.keys(labels).length === 0 ? null : labels, '`selector` does not match template `labels`')
  if (!isObject(selector)) return [required('spec.selector'), unmatched]
  const expressions = listAt(selector, 'matchExpressions')
  const wanted = objectAt(selector, 'matchLabels')
  if (expressions.length === 0 && Object.keys(wanted).length === 0) return [invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`)]
  const matches = Object.entries(wanted).every(([key, value]) => labels[key] === value) && expressions.every((expression) => holds(expression, labels))
  return matches ? [] : [unmatched]
}

function holds({ key, operator, values }: JsonObject, labels: JsonObject): boolean {
  const value = labels[key as string]
  const among = Array.isArray(values) && value !== undefined && values.includes(value)
  switch (operator) {
    case 'In':
      return among
    case 'NotIn':
      return !among
    case 'Exists':
      return value !== undefined
    default:
      return value === undefined
  }
}

function volumeErrors(spec: JsonObject, field: string): Cause[] {
  const seen = new Set<string>()
  return listAt(spec, 'volumes').flatMap((volume, i) => {
    const name = textAt(volume, 'name')
    const at = `${field}[${i}]`
    const errors = name === '' ? [required(`${at}.name`)] : labelNameProblems(name).map((problem) => invalidValue(`${at}.name`, name, problem))
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
    const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && isObject(value))
    if (sources.length === 0) errors.push(required(at, 'must specify a volume type'))
    for (const [source] of sources.slice(1)) errors.push({ reason: 'FieldValueForbidden', message: 'Forbidden: may not specify more than 1 volume type', field: `${at}.${source}` })
    return errors
  })
}

function containerErrors(container: JsonObject, field: string, volumes: ReadonlySet<string>, names: Set<string>): Cause[] {
  const name = textAt(container, 'name')
  const errors: Cause[] = []
  if (name === '') errors.push(required(`${field}.name`))
  else errors.push(...labelNameProblems(name).map((problem) => invalidValue(`${field}.name`, name, problem)))
  if (name !== '' && names.has(name)) errors.push(duplicate(`${field}.name`, name))
  names.add(name)
  const image = textAt(container, 'image')
  if (image === '') errors.push(required(`${field}.image`))
  else if (image !== image.trim()) errors.push(invalidValue(`${field}.image`, image, 'must not have leading or trailing whitespace'))
  errors.push(...oneOf(container.imagePullPolicy, `${field}.imagePullPolicy`, ['Always', 'IfNotPresent', 'Never']))
  errors.push(...portErrors(container, field), ...mountErrors(container, field, volumes), ...resourceErrors(objectAt(container, 'resources'), `${field}.resources`))
  for (const [i, variable] of listAt(container, 'env').entries()) errors.push(...missing(variable, 'name', `${field}.env[${i}]`))
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isObject(container[probe])) errors.push(...handlerErrors(container[probe], `${field}.${probe}`))
  }
  return errors
}

function handlerErrors(handler: JsonObject, field: string): Cause[] {
  const said = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((name) => isObject(handler[name]))
  if (said.length === 0) return [required(field, 'must specify a handler type')]
  return said.slice(1).map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'))
}

function portErrors(container: JsonObject, field: string): Cause[] {
  const names = new Set<string>()
  return listAt(container, 'ports').flatMap((port, i) => {
    const at = `${field}.ports[${i}]`
    const name = textAt(port, 'name')
    const errors = [...portNumber(port.containerPort, `${at}.containerPort`), ...oneOf(port.protocol, `${at}.protocol`, protocols)]
    if (name !== '' && names.has(name)) errors.push(duplicate(`${at}.name`, name))
    if (name.length > 15) errors.push(invalidValue(`${at}.name`, name, 'must be no more than 15 characters'))
    names.add(name)
    return errors
  })
}

function mountErrors(container: JsonObject, field: string, volumes: ReadonlySet<string>): Cause[] {
  const paths = new Set<string>()
  return listAt(container, 'volumeMounts').flatMap((mount, i) => {
    const at = `${field}.volumeMounts[${i}]`
    const name = textAt(mount, 'name')
    const path = textAt(mount, 'mountPath')
    const errors = [...missing(mount, 'name', at), ...missing(mount, 'mountPath', at)]
    if (name !== '' && !volumes.has(name)) errors.push({ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}`, field: `${at}.name` })
    if (path !== '' && paths.has(path)) errors.push(invalidValue(`${at}.mountPath`, path, 'must be unique'))
    paths.add(path)
    return errors
  })
}

function resourceErrors(resources: JsonObject, field: string): Cause[] {
  const limits = objectAt(resources, 'limits')
  return Object.entries(objectAt(resources, 'requests')).flatMap(([name, request]) => {
    const limit = limits[name]
    if (limit === undefined) return []
    const asked = quantityNanos(request as string)
    const most = quantityNanos(limit as string)
    if (asked === undefined || most === undefined || asked <= most) return []
    return [invalidValue(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${String(limit)}`)]
  })
}
