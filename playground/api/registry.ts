import { isObject } from '#lib/json.ts'
import type { KubernetesObject, Resource, Schema } from '#playground/contract.ts'
import { kindsOf } from './custom-kinds.ts'
import { apiVersionOf, builtInKinds, type Kind } from './kinds.ts'

export const definitions: Resource = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }

/** Which kinds are served now: the built-in ones, and those of every definition. */
export class Registry {
  readonly #builtIn: readonly Kind[]
  readonly #custom = new Map<string, readonly Kind[]>()
  #byPath = new Map<string, Kind>()
  /** Rises with every change, for caches and entity tags. */
  revision = 0

  constructor(schemaOf: (group: string, version: string, kind: string) => Schema | undefined) {
    this.#builtIn = builtInKinds(schemaOf)
    this.#index()
  }

  find(resource: Resource): Kind | undefined {
    return this.#byPath.get(pathOf(resource))
  }

  all(): Kind[] {
    return [...this.#byPath.values()]
  }

  /** Takes over a definition that was written; `undefined` for one that is gone. A definition without the Established condition serves nothing. */
  define(name: string, definition: KubernetesObject | undefined): void {
    if (definition === undefined || !established(definition)) this.#custom.delete(name)
    else this.#custom.set(name, kindsOf(definition))
    this.#index()
  }

  #index(): void {
    const custom = [...this.#custom.values()].flat().sort((a, b) => (`${a.group} ${a.plural}` < `${b.group} ${b.plural}` ? -1 : 1))
    this.#byPath = new Map([...this.#builtIn, ...custom].map((kind) => [pathOf(kind), kind]))
    this.revision += 1
  }

  /** The kinds of one `group/version`. */
  ofVersion(group: string, version: string): Kind[] {
    return this.all().filter((kind) => kind.group === group && kind.version === version)
  }

  /** Each group with its versions, the preferred one first. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>()
    for (const kind of this.all()) {
      const versions = groups.get(kind.group) ?? []
      if (!versions.includes(kind.version)) versions.push(kind.version)
      groups.set(kind.group, versions.sort(newestFirst))
    }
    return groups
  }

  apiVersions(): string[] {
    return [...new Set(this.all().map(apiVersionOf))]
  }
}

function pathOf(resource: Resource): string {
  return `${resource.group}/${resource.version}/${resource.plural}`
}

function established(definition: KubernetesObject): boolean {
  const status = definition.status
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions : []
  return conditions.some((condition) => isObject(condition) && condition.type === 'Established' && condition.status === 'True')
}

/** Kubernetes' order of versions: v2 before v1, and both before v1beta2, v1beta1, v1alpha1. */
function newestFirst(a: string, b: string): number {
  return rank(b) - rank(a) || (a < b ? -1 : 1)
}

function rank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return -1
  const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return stage * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0)
}
