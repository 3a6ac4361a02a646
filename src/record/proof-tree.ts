import { leafHash, nodeHash } from './merkle.ts'

/** A level of the tree: the hashes of its full subtrees from number `base` on, one after the other. */
type Level = { readonly base: number; readonly hashes: Buffer }

/**
 * A whole tree, for proofs of many of its leaves: 64 bytes a leaf. It may begin behind `start`, of whose leaves only the frontier is left; what
 * comes after them can still be proven.
 */
export class ProofTree {
  readonly size: number
  readonly #levels: Level[] = []

  constructor(leaves: readonly Uint8Array[], start: { readonly size: number; readonly roots: readonly string[] } = { size: 0, roots: [] }) {
    this.size = start.size + leaves.length
    // A full subtree stands at each level whose bit is set in the number of leaves; the largest comes first.
    const roots = start.roots.map((root) => Buffer.from(root, 'hex'))
    const known = (level: number): Buffer[] => (Math.floor(start.size / 2 ** level) % 2 === 1 ? roots.splice(-1) : [])
    let hashes = Buffer.concat([...known(0), ...leaves.map(leafHash)])
    for (let level = 0; hashes.length > 0 || roots.length > 0; level += 1) {
      const behind = Math.floor(start.size / 2 ** level)
      this.#levels.push({ base: behind - (behind % 2), hashes })
      const parents: Buffer[] = known(level + 1)
      for (let at = 0; at + 64 <= hashes.length; at += 64) parents.push(nodeHash(hashes.subarray(at, at + 32), hashes.subarray(at + 32, at + 64)))
      hashes = Buffer.concat(parents)
    }
  }

  /** RFC 6962, section 2.1.1: what it takes to get from leaf `index` to the root. */
  proof(index: number): Buffer[] {
    const proof: Buffer[] = []
    for (let level = 0, width = 1; width < this.size; level += 1, width *= 2) {
      const sibling = Math.floor(index / width) ^ 1
      if (sibling * width < this.size) proof.push(this.#subtree(level, sibling))
    }
    return proof
  }

  root(): Buffer {
    let level = 0
    while (2 ** level < this.size) level += 1
    return this.#subtree(level, 0)
  }

  /** The hash over what there is of a subtree: of one that is not full, of its full parts. */
  #subtree(level: number, at: number): Buffer {
    if ((at + 1) * 2 ** level <= this.size) return this.#full(level, at)
    const left = this.#subtree(level - 1, at * 2)
    return (at * 2 + 1) * 2 ** (level - 1) < this.size ? nodeHash(left, this.#subtree(level - 1, at * 2 + 1)) : left
  }

  #full(level: number, at: number): Buffer {
    const { base, hashes } = this.#levels[level] ?? { base: 0, hashes: Buffer.alloc(0) }
    const from = (at - base) * 32
    if (from < 0 || from + 32 > hashes.length) throw new RangeError(`no subtree ${at} at level ${level} in a tree of ${this.size}`)
    return hashes.subarray(from, from + 32)
  }
}
