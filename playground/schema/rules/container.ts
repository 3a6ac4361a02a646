import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { labelNameProblems } from '#lib/object-names.ts'
import type { Cause } from '#playground/contract.ts'
import { duplicate, forbidden, invalidValue, required } from '../causes.ts'
import { quantityNanos } from '../quantity.ts'
import { listAt, missing, notNegative, objectAt, oneOf, portNameProblems, portNumber, portOrName, protocols, textAt } from './look.ts'

/** Source of all of it: kubernetes `pkg/apis/core/validation/validation.go`. `names` are those of the containers before. */
export function containerErrors(container: JsonObject, field: string, volumes: ReadonlySet<string>, names: Set<string>): Cause[] {
  const name = textAt(container, 'name')
  const errors: Cause[] = name === '' ? [required(`${field}.name`)] : labelNameProblems(name).map((problem) => invalidValue(`${field}.name`, name, problem))
  const image = textAt(container, 'image')
  if (image === '') errors.push(required(`${field}.image`))
  else if (image !== image.trim()) errors.push(invalidValue(`${field}.image`, image, 'must not have leading or trailing whitespace'))
  errors.push(...portErrors(container, field), ...variableErrors(container, field), ...mountErrors(container, field, volumes))
  errors.push(...oneOf(container.imagePullPolicy, `${field}.imagePullPolicy`, ['Always', 'IfNotPresent', 'Never']))
  errors.push(...resourceErrors(objectAt(container, 'resources'), `${field}.resources`), ...userErrors(objectAt(container, 'securityContext'), `${field}.securityContext`))
  if (name !== '' && names.has(name)) errors.push(duplicate(`${field}.name`, name))
  names.add(name)
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isObject(container[probe])) errors.push(...probeErrors(container[probe], `${field}.${probe}`, probe))
  }
  return errors
}

function portErrors(container: JsonObject, field: string): Cause[] {
  const names = new Set<string>()
  return listAt(container, 'ports').flatMap((port, i) => {
    const at = `${field}.ports[${i}]`
    const name = textAt(port, 'name')
    const errors = name === '' ? [] : portNameProblems(name).map((problem) => invalidValue(`${at}.name`, name, problem))
    if (name !== '' && errors.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
    errors.push(...(port.containerPort === 0 ? [required(`${at}.containerPort`)] : portNumber(port.containerPort, `${at}.containerPort`)))
    return [...errors, ...oneOf(port.protocol, `${at}.protocol`, protocols)]
  })
}

const valueSources = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef']

function variableErrors(container: JsonObject, field: string): Cause[] {
  return listAt(container, 'env').flatMap((variable, i) => {
    const at = `${field}.env[${i}]`
    const name = textAt(variable, 'name')
    const errors = missing(variable, 'name', at)
    if (name !== '' && !/^[ -<>-~]+$/.test(name)) errors.push(invalidValue(`${at}.name`, name, "a valid environment variable name must consist only of printable ASCII characters other than '='"))
    const from = variable.valueFrom
    if (!isObject(from)) return errors
    const said = valueSources.filter((source) => isObject(from[source]))
    const wrong =
      said.length === 0
        ? 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
        : textAt(variable, 'value') !== ''
          ? 'may not be specified when `value` is not empty'
          : said.length > 1
            ? 'may not have more than one field specified at a time'
            : undefined
    for (const source of said) errors.push(...sourceErrors(source, objectAt(from, source), `${at}.valueFrom.${source}`))
    return wrong === undefined ? errors : [...errors, invalidValue(`${at}.valueFrom`, '', wrong)]
  })
}

const podFields = /^(metadata\.(name|namespace|uid)|metadata\.(annotations|labels)\['.+'\]|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?))$/

function sourceErrors(source: string, ref: JsonObject, field: string): Cause[] {
  if (source === 'configMapKeyRef' || source === 'secretKeyRef') return [...missing(ref, 'name', field), ...missing(ref, 'key', field)]
  if (source !== 'fieldRef') return []
  const path = textAt(ref, 'fieldPath')
  if (path === '') return [required(`${field}.fieldPath`)]
  return podFields.test(path) ? [] : [invalidValue(`${field}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`)]
}

function mountErrors(container: JsonObject, field: string, volumes: ReadonlySet<string>): Cause[] {
  const paths = new Set<string>()
  return listAt(container, 'volumeMounts').flatMap((mount, i) => {
    const at = `${field}.volumeMounts[${i}]`
    const name = textAt(mount, 'name')
    const path = textAt(mount, 'mountPath')
    const errors = missing(mount, 'name', at)
    if (name !== '' && !volumes.has(name)) errors.push({ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}`, field: `${at}.name` })
    errors.push(...missing(mount, 'mountPath', at))
    if (path !== '' && paths.has(path)) errors.push(invalidValue(`${at}.mountPath`, path, 'must be unique'))
    paths.add(path)
    return errors
  })
}

function resourceErrors(resources: JsonObject, field: string): Cause[] {
  const limits = objectAt(resources, 'limits')
  const asked = Object.entries(objectAt(resources, 'requests')).flatMap(([name, request]) => [...amountErrors(name, request, `${field}.requests`), ...overLimit(name, request, limits[name], `${field}.requests`)])
  return [...Object.entries(limits).flatMap(([name, limit]) => amountErrors(name, limit, `${field}.limits`)), ...asked]
}

function amountErrors(name: string, amount: Json, field: string): Cause[] {
  const at = `${field}[${name}]`
  const isKnown = name.includes('/') || ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-')
  const errors = isKnown ? [] : ['must be a standard resource type or fully qualified', 'must be a standard resource for containers'].map((problem) => invalidValue(at, name, problem))
  return (quantityNanos(amount as string) ?? 0n) < 0n ? [...errors, invalidValue(at, amount, 'must be greater than or equal to 0')] : errors
}

function overLimit(name: string, request: Json, limit: Json | undefined, field: string): Cause[] {
  if (limit === undefined) return []
  const asked = quantityNanos(request as string)
  const most = quantityNanos(limit as string)
  if (asked === undefined || most === undefined || asked <= most) return []
  return [invalidValue(field, request, `must be less than or equal to ${name} limit of ${String(limit)}`)]
}

function userErrors(context: JsonObject, field: string): Cause[] {
  return ['runAsUser', 'runAsGroup'].flatMap((name) => {
    const id = context[name]
    return typeof id === 'number' && (id < 0 || id > 2 ** 31 - 1) ? [invalidValue(`${field}.${name}`, id, 'must be between 0 and 2147483647, inclusive')] : []
  })
}

function probeErrors(probe: JsonObject, field: string, name: string): Cause[] {
  const errors = [...handlerErrors(probe, field), ...notNegative(probe, ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'], field)]
  if (name !== 'readinessProbe' && probe.successThreshold !== 1) errors.push(invalidValue(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  return errors
}

function handlerErrors(handler: JsonObject, field: string): Cause[] {
  const said = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((name) => isObject(handler[name]))
  if (said.length === 0) return [required(field, 'must specify a handler type')]
  const [first = ''] = said
  const own = objectAt(handler, first)
  const errors = said.slice(1).map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'))
  if (first === 'exec') return [...missing(own, 'command', `${field}.exec`), ...errors]
  return [...portOrName(own.port, `${field}.${first}.port`), ...errors]
}
