import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { find } from '../backend.ts'
import { valueAt } from '../paths.ts'
import { type Sink, text } from '../request.ts'
import { badRequest, notFound } from '../status.ts'
import type { Verb } from './verb.ts'

/** A pod's log, as the pods' own part hands it over. */
export const logVerb: Verb = (backend, request, target) => {
  const pod = find(backend, target.kind, target.namespace, target.name)
  if (pod === undefined) throw notFound(target.kind, target.name)
  const { query } = request
  const tail = Number(query.get('tailLines') ?? Number.NaN)
  const [names = [], first = []] = ['containers', 'initContainers'].map((list) => objectsAt(pod, `spec.${list}`).map(({ name }) => String(name)))
  const container = query.get('container') ?? undefined
  if (container === undefined && names.length > 1) {
    throw badRequest(`a container name must be specified for pod ${target.name}, choose one of: [${names.join(' ')}]`)
  }
  if (container !== undefined && ![...names, ...first].includes(container)) throw badRequest(`container ${container} is not valid for pod ${target.name}`)
  const asked = {
    container: container ?? names[0],
    follow: query.get('follow') === 'true',
    tailLines: Number.isNaN(tail) ? undefined : tail,
    previous: query.get('previous') === 'true',
    since: sinceOf(query, backend.clock.now()),
    timestamps: query.get('timestamps') === 'true',
  }
  const log = backend.options.logs(target.namespace, target.name, asked, request.signal)
  if (log === undefined && asked.previous) throw badRequest(`previous terminated container "${asked.container ?? ''}" in pod "${target.name}" not found`)
  const lost = log === undefined ? endedId(pod, asked.container) : undefined
  if (lost !== undefined) return text(200, `unable to retrieve container logs for ${lost}`)
  if (log === undefined) throw badRequest(`container "${asked.container ?? ''}" in pod "${target.name}" is waiting to start: ContainerCreating`)
  if (typeof log === 'string') return text(200, log)
  const stream = async (sink: Sink): Promise<void> => {
    for await (const chunk of log) {
      if (sink.signal.aborted) return
      sink.write(chunk)
    }
  }
  return { status: 200, headers: { 'content-type': 'text/plain' }, stream }
}

function objectsAt(pod: KubernetesObject, path: string): JsonObject[] {
  const list = valueAt(pod, path)
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** `sinceSeconds` or `sinceTime`; everything without either. */
function sinceOf(query: URLSearchParams, now: number): number {
  const [seconds, time] = [query.get('sinceSeconds'), query.get('sinceTime')]
  if (seconds !== null) return now - Number(seconds) * 1000
  return time === null ? -Infinity : Date.parse(time)
}

/** Of a container that has ended, which is all that is left of it once its node has started again. */
function endedId(pod: KubernetesObject, container: string | undefined): string | undefined {
  const statuses = ['status.containerStatuses', 'status.initContainerStatuses'].flatMap((path) => objectsAt(pod, path))
  const id = valueAt(statuses.find(({ name }) => name === container), 'state.terminated.containerID')
  return typeof id === 'string' ? id : undefined
}
