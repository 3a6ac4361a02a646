import { configMaps, secrets, type Container, type EnvVar, type Pod } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'

/** Why a container cannot be started yet: the kubelet tries again when what is missing appears. */
export class CreateContainerConfigError extends Error {}

type Facts = { readonly podIp: string; readonly nodeIp: string; readonly nodeName: string }

/** What would change the program itself, rather than tell it something: a manifest does not get to load code into a process of this machine. */
const notHandedOn = /^(?:NODE_|LD_|DYLD_|PLAYGROUND_)/

/** A container's environment as Kubernetes builds it: envFrom first, env after, `$(NAME)` expanded from what stands before. */
export function environmentOf(objects: TypedObjects, pod: Pod, container: Container, facts: Facts): Record<string, string> {
  const namespace = pod.metadata.namespace
  const result: Record<string, string> = {}
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined) take(result, prefix, configMapData(objects, namespace, configMapRef.name, configMapRef.optional))
    if (secretRef !== undefined) take(result, prefix, secretData(objects, namespace, secretRef.name, secretRef.optional))
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(objects, pod, variable, facts)
    if (value !== undefined) result[variable.name] = value.replaceAll(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (text, name: string | undefined) =>
        name === undefined ? '$' : (result[name] ?? text),
      )
  }
  return Object.fromEntries(Object.entries(result).filter(([name]) => !notHandedOn.test(name)))
}

function take(result: Record<string, string>, prefix: string, data: Readonly<Record<string, string>> | undefined): void {
  for (const [key, value] of Object.entries(data ?? {})) {
    if (/^[A-Za-z_.-][\w.-]*$/.test(prefix + key)) result[prefix + key] = value
  }
}

function valueOf(objects: TypedObjects, pod: Pod, { name, value, valueFrom }: EnvVar, facts: Facts): string | undefined {
  if (valueFrom === undefined) return value ?? ''
  const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom
  const { namespace } = pod.metadata
  if (configMapKeyRef !== undefined) {
    const data = configMapData(objects, namespace, configMapKeyRef.name, configMapKeyRef.optional)
    return keyOf(data, configMapKeyRef, `ConfigMap ${namespace}/${configMapKeyRef.name}`)
  }
  if (secretKeyRef !== undefined) {
    const data = secretData(objects, namespace, secretKeyRef.name, secretKeyRef.optional)
    return keyOf(data, secretKeyRef, `Secret ${namespace}/${secretKeyRef.name}`)
  }
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, facts)
  throw new CreateContainerConfigError(`env ${name}: this source is not supported in the playground`)
}

function keyOf(data: Readonly<Record<string, string>> | undefined, { key, optional }: { key: string; optional?: boolean }, where: string): string | undefined {
  const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined
  if (value === undefined && optional !== true) throw new CreateContainerConfigError(`couldn't find key ${key} in ${where}`)
  return value
}

export function configMapData(objects: TypedObjects, namespace: string, name: string, optional = false): Record<string, string> | undefined {
  const found = objects.get(configMaps, namespace, name)
  if (found === undefined && !optional) throw new CreateContainerConfigError(`configmap "${name}" not found`)
  return found?.data ?? (found === undefined ? undefined : {})
}

export function secretData(objects: TypedObjects, namespace: string, name: string, optional = false): Record<string, string> | undefined {
  const found = objects.get(secrets, namespace, name)
  if (found === undefined && !optional) throw new CreateContainerConfigError(`secret "${name}" not found`)
  if (found === undefined) return undefined
  return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]))
}

function fieldOf({ metadata, spec }: Pod, path: string, facts: Facts): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  if (keyed !== null) return (keyed[1] === 'labels' ? metadata.labels : metadata.annotations)?.[keyed[2] ?? ''] ?? ''
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': facts.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName ?? 'default',
    'status.podIP': facts.podIp,
    'status.podIPs': facts.podIp,
    'status.hostIP': facts.nodeIp,
    'status.hostIPs': facts.nodeIp,
  }
  const value = fields[path]
  if (value === undefined) throw new CreateContainerConfigError(`fieldRef ${path} is not supported in the playground`)
  return value
}
