import { findImage, type Image } from './images.ts'

/**
 * The known images, as one cluster finds them: a repository can be withdrawn, as if it had been deleted from the registry and from the node's own
 * store. What runs goes on; what starts anew cannot be pulled.
 */
export class ImageRegistry {
  readonly #withdrawn = new Set<string>()

  find(reference: string): Image | undefined {
    return this.#withdrawn.has(repositoryOf(reference)) ? undefined : findImage(reference)
  }

  isWithdrawn(repository: string): boolean {
    return this.#withdrawn.has(repository)
  }

  withdraw(repository: string): void {
    this.#withdrawn.add(repository)
  }

  restore(repository: string): void {
    this.#withdrawn.delete(repository)
  }
}

/** The reference without its tag: a colon before the last slash is a port's. */
function repositoryOf(reference: string): string {
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1)
  return colon < 0 ? reference : reference.slice(0, colon)
}
