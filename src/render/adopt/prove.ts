import { Failure } from '#lib/failure.ts'
import { equalJson } from '#lib/json.ts'
import { memoryRenderCache } from '../cache.ts'
import type { RenderCache } from '../cache.ts'
import { logReads } from '../read-log.ts'
import type { Read } from '../read-log.ts'
import { renderModule } from '../render.ts'
import { changedTree } from './changed-tree.ts'
import { bodiesOf, sameBodies } from './compare.ts'
import type { Bodies } from './compare.ts'
import type { Adoption, Changes, Place } from './wish.ts'

/** What a place renders to; or why it does not, with what it read until then. */
export type Rendered = { readonly read: readonly Read[] } & ({ readonly bodies: Bodies } | { readonly failure: Failure })

/** Renders places with and without changes. What it tries is kept in memory alone. */
export class Prover {
  readonly #adoption: Adoption
  readonly #cache: RenderCache
  readonly #asIs = new Map<Place, Promise<Rendered>>()

  constructor(adoption: Adoption) {
    this.#adoption = adoption
    const tried = memoryRenderCache()
    this.#cache = { get: async (key) => (await tried.get(key)) ?? (await adoption.cache.get(key)), set: tried.set }
  }

  /** A place as Git has it. */
  asIs(place: Place): Promise<Rendered> {
    const known = this.#asIs.get(place) ?? this.render(place, new Map())
    this.#asIs.set(place, known)
    return known
  }

  /** A failure of the rendering is an answer; that it cannot be told (no program, no store, an abort) is thrown. */
  async render(place: Place, changes: Changes): Promise<Rendered> {
    const { reader, tools, signal } = this.#adoption
    const log = logReads(changes.size === 0 ? reader : changedTree(reader, changes))
    try {
      const rendering = await renderModule({ reader: log.reader, path: place.path, spec: place.spec, subject: `module ${place.module}`, cache: this.#cache, tools, signal })
      return { bodies: bodiesOf(rendering.desired), read: rendering.read }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure) || error.retry !== 'never') throw error
      return { failure: error, read: log.reads() }
    }
  }

  /** Whether all other places stay as they are. What fails with the same words before and after is not proven, and is no reason against it. */
  async leavesOthersAlone(changes: Changes): Promise<boolean> {
    for (const place of this.#adoption.others) {
      const before = await this.asIs(place)
      if (!before.read.some(({ path }) => touches(changes, path))) continue
      const after = await this.render(place, changes)
      const isSame = 'failure' in before ? 'failure' in after && equalJson(before.failure.toJSON(), after.failure.toJSON()) : 'bodies' in after && sameBodies(before.bodies, after.bodies)
      if (!isSame) return false
    }
    return true
  }

  /** How many other places read a file. */
  async sharing(path: string): Promise<number> {
    let count = 0
    for (const place of this.#adoption.others) if ((await this.asIs(place)).read.some((read) => read.path === path && read.id.startsWith('blob:'))) count += 1
    return count
  }

  async unproven(): Promise<string[]> {
    const found: string[] = []
    for (const place of this.#adoption.others) if ('failure' in (await this.asIs(place))) found.push(`module ${place.module} in ${place.environment}`)
    return found
  }
}

/** Whether something that was asked for may have another answer now: the file itself, or the folder that lists it. */
function touches(changes: Changes, read: string): boolean {
  const folder = read === '' || read === '.' ? '' : `${read}/`
  return [...changes.keys()].some((path) => path === read || path.startsWith(folder))
}
