import { placeOf } from '#playground/controllers/controller.ts'
import { endpointSlices, services, type Service } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'

export type Backend = { readonly ip: string; readonly port: number }

/** Chooses, in turn, among the ready endpoints of a Service's port. */
export class Balancer {
  readonly #objects: TypedObjects
  readonly #turns = new Map<string, number>()

  constructor(objects: TypedObjects) {
    this.#objects = objects
  }

  /** `undefined`: no pod is ready. `port` is a Service's port, by number or name. */
  next(service: string, port: { readonly number?: number; readonly name?: string }): Backend | undefined {
    const { namespace, name } = placeOf(service)
    const found = this.#objects.get(services, namespace, name)
    const entry = found?.spec.ports?.find((candidate) => (port.name === undefined ? candidate.port === port.number : candidate.name === port.name))
    if (entry === undefined) return undefined
    const ready = this.#ready(namespace, name, entry.name ?? '')
    if (ready.length === 0) return undefined
    const key = `${service}:${entry.port}`
    const turn = this.#turns.get(key) ?? 0
    this.#turns.set(key, turn + 1)
    return ready[turn % ready.length]
  }

  service(key: string): Service | undefined {
    const { namespace, name } = placeOf(key)
    return this.#objects.get(services, namespace, name)
  }

  #ready(namespace: string, service: string, portName: string): Backend[] {
    return this.#objects
      .list(endpointSlices, namespace)
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service)
      .flatMap(({ endpoints, ports }) => {
        const port = ports?.find(({ name }) => (name ?? '') === portName)?.port
        if (port === undefined) return []
        return (endpoints ?? []).filter(({ conditions }) => conditions.ready).flatMap(({ addresses }) => addresses.map((ip) => ({ ip, port })))
      })
  }
}
