import { hash } from 'node:crypto'

// RFC 6962, section 2.1: a leaf is hashed behind a zero byte, a node behind a one. Hashes are 32 bytes. The bytes to hash are put together
// in one buffer each, which nobody else sees: a million records are three million hashes.
const node = Buffer.alloc(65, 1)

export function leafHash(data: Uint8Array): Buffer {
  const leaf = Buffer.allocUnsafe(data.length + 1)
  leaf[0] = 0
  leaf.set(data, 1)
  return hash('sha256', leaf, 'buffer')
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 33)
  return hash('sha256', node, 'buffer')
}

/** A frontier as it is stored: the roots in hexadecimal, largest subtree first. */
export type FrontierJson = { size: number; roots: string[] }

/** A growing tree, kept as the roots of its full subtrees, largest first: appending costs log n. */
export class Frontier {
  #size: number
  #roots: Buffer[]

  /** Empty, or as `toJSON` of an earlier one left it. */
  constructor(from: { readonly size: number; readonly roots: readonly string[] } = { size: 0, roots: [] }) {
    this.#size = from.size
    this.#roots = from.roots.map((root) => Buffer.from(root, 'hex'))
  }

  get size(): number {
    return this.#size
  }

  toJSON(): FrontierJson {
    return { size: this.#size, roots: this.#roots.map((root) => root.toString('hex')) }
  }

  append(leaf: Uint8Array): void {
    let root = leafHash(leaf)
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.#roots.pop()
      if (left !== undefined) root = nodeHash(left, root)
    }
    this.#roots.push(root)
    this.#size += 1
  }

  /** The root over all leaves so far; of none, the hash of nothing. */
  root(): Buffer {
    const [last, ...larger] = this.#roots.toReversed()
    if (last === undefined) return hash('sha256', '', 'buffer')
    return larger.reduce((right, left) => nodeHash(left, right), last)
  }
}

/** RFC 9162, section 2.1.3.2: whether `leaf` is number `index` in the tree of `size` leaves with that root. */
export function isIncluded(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!Number.isInteger(index) || !Number.isInteger(size) || index < 0 || index >= size || proof.some((one) => one.length !== 32)) return false
  let at = index
  let last = size - 1
  let here = leafHash(leaf)
  for (const sibling of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      here = nodeHash(sibling, here)
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2)
        last = Math.floor(last / 2)
      }
    } else {
      here = nodeHash(here, sibling)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && here.equals(root)
}
