import { isObject } from '#lib/json.ts'
import { find } from '../backend.ts'
import { type Sink, text } from '../request.ts'
import { badRequest, notFound } from '../status.ts'
import type { Verb } from './verb.ts'

/** A pod's log, as the pods' own part hands it over. */
export const logVerb: Verb = (backend, request, target) => {
  const pod = find(backend, target.kind, target.namespace, target.name)
  if (pod === undefined) throw notFound(target.kind, target.name)
  const { query } = request
  const tail = Number(query.get('tailLines') ?? Number.NaN)
  const names = isObject(pod.spec) && Array.isArray(pod.spec.containers) ? pod.spec.containers.map((container) => (isObject(container) ? String(container.name) : '')) : []
  const container = query.get('container') ?? undefined
  if (container === undefined && names.length > 1) {
    throw badRequest(`a container name must be specified for pod ${target.name}, choose one of: [${names.join(' ')}]`)
  }
  if (container !== undefined && !names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${target.name}`)
  const asked = {
    container: container ?? names[0],
    follow: query.get('follow') === 'true',
    tailLines: Number.isNaN(tail) ? undefined : tail,
    previous: query.get('previous') === 'true',
  }
  const log = backend.options.logs(target.namespace, target.name, asked, request.signal)
  if (log === undefined && asked.previous) throw badRequest(`previous terminated container "${asked.container ?? ''}" in pod "${target.name}" not found`)
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
